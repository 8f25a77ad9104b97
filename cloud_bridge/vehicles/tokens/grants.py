"""The two parts of keeping grants: where they are stored, and the way to have one refreshed."""

from dataclasses import dataclass

from cloud_bridge.vehicles.tokens.refresh_client import RefreshClient
from cloud_bridge.vehicles.tokens.vault import Vault


@dataclass(frozen=True, slots=True)
class Grants:
    """Given to whoever needs an access token."""

    vault: Vault
    refresh_client: RefreshClient
