"""Which providers there are: `vehicles.toml` in the data folder, or the file that CHARGEKEEPER_VEHICLES names.

    public_url = "https://app.example"     # where drivers reach us; providers must know {public_url}/vehicles/return/{name}

    look_every_s = 60                      # optional: look more often than is polite, at a maker that does not mind

    [provider.tesla]
    kind = "tesla"                         # tesla, smartcar or generic
    client_id = "..."
    client_secret = "..."                  # the file should be readable by its owner alone

Hosts and scopes have each maker's own as default and may all be set: authorise_url, token_url, revoke_url, issuer,
api_url (Tesla: a list), scopes, token_auth, pkce, title. No file: no provider, and the pages say so.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from cloud_bridge.errors import SettingError
from cloud_bridge.vehicles.providers import smartcar, tesla
from cloud_bridge.vehicles.providers.calls import Bounded
from cloud_bridge.vehicles.providers.generic import Generic
from cloud_bridge.vehicles.providers.oauth import OAuthSettings
from cloud_bridge.vehicles.providers.provider import Provider

VARIABLE = "CHARGEKEEPER_VEHICLES"
FILE_NAME = "vehicles.toml"
NAME = re.compile(r"[a-z0-9-]{1,40}")
TOKEN_AUTHS = ("client_secret_basic", "client_secret_post", "none")
LOOPBACK = ("127.0.0.1", "localhost", "::1")

DEFAULTS: dict[str, dict[str, Any]] = {
    "tesla": {
        "title": "Tesla",
        "authorise_url": tesla.AUTHORISE_URL,
        "token_url": tesla.TOKEN_URL,
        "api_url": list(tesla.API_URLS),
        "scopes": list(tesla.SCOPES),
        "token_auth": "client_secret_post",
    },
    "smartcar": {
        "title": "Smartcar",
        "authorise_url": smartcar.AUTHORISE_URL,
        "token_url": smartcar.TOKEN_URL,
        "api_url": smartcar.API_URL,
        "scopes": list(smartcar.SCOPES),
        "pkce": False,
        "mode": "live",
    },
    "generic": {},
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The providers by name."""

    public_url: str = ""
    providers: dict[str, Provider] = field(default_factory=dict)
    management_token: str | None = field(default=None, repr=False)  # of Smartcar's webhooks
    transport: httpx2.BaseTransport | None = None
    look_every_ms: int | None = None

    def return_uri(self, name: str) -> str:
        """One for each provider: a return that belongs to another is told by its address (RFC 9700 4.4)."""
        return f"{self.public_url}/vehicles/return/{name}"

    def close(self) -> None:
        """Close the connections to the providers."""
        if self.transport is not None:
            self.transport.close()


def read_catalogue(
    folder: Path, environment: Mapping[str, str], transport: httpx2.BaseTransport | None = None
) -> Catalogue:
    """Raises SettingError that names the file and the key. `transport` is for tests."""
    path = Path(environment.get(VARIABLE) or folder / FILE_NAME)
    if not path.exists() and VARIABLE not in environment:
        return Catalogue()
    try:
        said = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SettingError(f"cannot read {path}: {error}") from error
    try:
        public_url = _url(said, "public_url").rstrip("/")
        look_every_ms = int(said["look_every_s"] * 1000) if "look_every_s" in said else None
        sections = said.get("provider", {})
        wire = transport or Bounded()
        providers = {name: _provider(name, section, wire) for name, section in sections.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingError(f"{path}: {error.args[0] if error.args else error}") from error
    token = next(
        (section.get("management_token") for section in sections.values() if section["kind"] == "smartcar"), None
    )
    return Catalogue(public_url, providers, token, wire, look_every_ms)


def _provider(name: str, section: dict[str, Any], transport: httpx2.BaseTransport) -> Provider:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a provider: use a-z, 0-9 and -")
    kind = section.get("kind")
    if kind not in DEFAULTS:
        raise ValueError(f"{name}: kind is {kind!r}, not one of {', '.join(DEFAULTS)}")
    said = DEFAULTS[kind] | section
    oauth = OAuthSettings(
        client_id=str(said["client_id"]),
        client_secret=said.get("client_secret"),
        authorise_url=_url(said, "authorise_url"),
        token_url=_url(said, "token_url"),
        revoke_url=_url(said, "revoke_url") if "revoke_url" in said else None,
        issuer=said.get("issuer"),
        scopes=tuple(str(scope) for scope in said["scopes"]),
        token_auth=said.get("token_auth", "client_secret_basic"),
        pkce=bool(said.get("pkce", True)),
    )
    if oauth.token_auth not in TOKEN_AUTHS:
        raise ValueError(f"{name}: token_auth is {oauth.token_auth!r}, not one of {', '.join(TOKEN_AUTHS)}")
    if kind == "tesla":
        urls = [_url({"api_url": url}, "api_url") for url in said["api_url"]]
        return tesla.Tesla(oauth, tuple(urls), transport)
    api_url = _url(said, "api_url")
    if kind == "smartcar":
        return smartcar.Smartcar(oauth, api_url, str(said["mode"]), transport)
    return Generic(name, str(said.get("title", name)), oauth, api_url, transport)


def _url(said: dict[str, Any], key: str) -> str:
    """Tokens travel over TLS, except on this machine."""
    value = said.get(key)
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or not parts.hostname:
        raise ValueError(f"{key} is {value!r}, which is no address")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError(f"{key} must begin with https://")
    return str(value)
