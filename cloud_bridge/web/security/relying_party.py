"""The WebAuthn relying party: domain and origin of the public address (WebAuthn 4, "RP ID"), and never those of a request.

Browsers support passkeys only over https, or on localhost without TLS, and only for a domain name. The address 127.0.0.1
therefore has none.
"""

from typing import NamedTuple

from cloud_bridge.web.public_address import PORTS, Address

LOCALHOST = "localhost"


class RelyingParty(NamedTuple):
    """The domain and the origin that every passkey is bound to."""

    id: str
    origin: str


def relying_party(address: Address) -> RelyingParty | None:
    """Return the relying party, or None if browsers do not support passkeys at this address."""
    is_local = address.host == LOCALHOST or address.host.endswith("." + LOCALHOST)
    last = address.host.rpartition(".")[2]
    is_name = address.host.isascii() and ":" not in address.host and not last.isdigit()
    if not is_name or (address.scheme != "https" and not is_local):
        return None
    port = "" if address.port == PORTS[address.scheme] else f":{address.port}"
    return RelyingParty(address.host, f"{address.scheme}://{address.host}{port}")
