"""The configured providers: `vehicles.toml` in the data folder, or the file that CHARGEKEEPER_VEHICLES names.

    public_url = "https://app.example"     # only used if CHARGEKEEPER_PUBLIC_URL is not set

    look_every_s = 60                      # optional: poll more often than is polite, at a provider that allows it

    [provider.generic]                     # the name in addresses, and in the store
    kind = "generic"                       # a file of this folder: registry.py
    client_id = "..."
    client_secret = "..."                  # the file should be readable by its owner only

Each kind has defaults for hosts and scopes; all may be set: title, authorise_url, token_url, revoke_url, issuer, api_url,
scopes, token_auth, pkce. A kind may have keys of its own, which its file documents. Without a file, there are no providers,
and the pages say so.

Register this redirect URI with each provider: {CHARGEKEEPER_PUBLIC_URL}/vehicles/return/{name}.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from cloud_bridge.errors import SettingError
from cloud_bridge.vehicles.providers.calls import Bounded
from cloud_bridge.vehicles.providers.provider import Provider
from cloud_bridge.vehicles.providers.registry import kinds
from cloud_bridge.vehicles.providers.section import Section, checked_url

VARIABLE = "CHARGEKEEPER_VEHICLES"
PUBLIC_URL = "CHARGEKEEPER_PUBLIC_URL"  # the one public address of the service (settings.py)
FILE_NAME = "vehicles.toml"
NAME = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The configured providers, by name."""

    public_url: str = ""
    providers: dict[str, Provider] = field(default_factory=dict)
    transport: httpx2.BaseTransport | None = None
    look_every_ms: int | None = None

    def return_uri(self, name: str) -> str:
        """Return the provider's redirect URI. Each provider has its own, so that an answer of another provider is recognised
        by its address (RFC 9700, 4.4)."""
        return f"{self.public_url}/vehicles/return/{name}"

    def close(self) -> None:
        """Close the connections to the providers."""
        if self.transport is not None:
            self.transport.close()


def read_catalogue(
    folder: Path, environment: Mapping[str, str], transport: httpx2.BaseTransport | None = None
) -> Catalogue:
    """Read the file. `transport` replaces the network in tests. Raises SettingError with the file and the key."""
    path = Path(environment.get(VARIABLE) or folder / FILE_NAME)
    if not path.exists() and VARIABLE not in environment:
        return Catalogue()
    try:
        settings = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SettingError(f"cannot read {path}: {error}") from error
    try:
        public_url = checked_url("public_url", environment.get(PUBLIC_URL) or settings.get("public_url")).rstrip("/")
        look_every_ms = int(settings["look_every_s"] * 1000) if "look_every_s" in settings else None
        bounded = transport or Bounded()
        sections = settings.get("provider", {})
        providers = {name: _provider(name, section, bounded) for name, section in sections.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingError(f"{path}: {error.args[0] if error.args else error}") from error
    return Catalogue(public_url, providers, bounded, look_every_ms)


def _provider(name: str, values: dict[str, Any], transport: httpx2.BaseTransport) -> Provider:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a valid name for a provider: use a-z, 0-9 and -")
    known, kind = kinds(), values.get("kind")
    if not isinstance(kind, str) or kind not in known:
        raise ValueError(f"{name}: kind is {kind!r}, not one of {', '.join(known)}")
    return known[kind].make(Section(name, {**known[kind].defaults, **values}), transport)
