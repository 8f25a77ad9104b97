"""The vault in which grants are stored, together with the client that has them refreshed."""

from dataclasses import dataclass

from cloud_bridge.vehicles.tokens.refresh_client import RefreshClient
from cloud_bridge.vehicles.tokens.vault import Vault


@dataclass(frozen=True, slots=True)
class Grants:
    """Passed to everything that needs an access token."""

    vault: Vault
    refresh_client: RefreshClient
