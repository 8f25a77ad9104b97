"""For whom browsers keep passkeys: name and origin of the public address (WebAuthn 4, "RP ID"), not what a request says.

Browsers know passkeys over https only, and without TLS on localhost; and only for a name, so 127.0.0.1 has none either.
"""

from typing import NamedTuple

from cloud_bridge.web.public_address import PORTS, Address

LOCALHOST = "localhost"


class RelyingParty(NamedTuple):
    """What every passkey is bound to."""

    id: str
    origin: str


def relying_party(address: Address) -> RelyingParty | None:
    """None: browsers keep no passkeys for this address."""
    is_local = address.host == LOCALHOST or address.host.endswith("." + LOCALHOST)
    last = address.host.rpartition(".")[2]
    is_name = address.host.isascii() and ":" not in address.host and not last.isdigit()
    if not is_name or (address.scheme != "https" and not is_local):
        return None
    port = "" if address.port == PORTS[address.scheme] else f":{address.port}"
    return RelyingParty(address.host, f"{address.scheme}://{address.host}{port}")
