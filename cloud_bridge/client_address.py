"""The network of a client, also behind a trusted proxy. Rate limits and the security log are by network."""

import ipaddress
from collections.abc import Iterable

NETWORK_BITS = 64  # the IPv6 prefix of one household (RFC 6177)


def network_of(address: str) -> str:
    """Return the /64 network of an IPv6 address ("2001:db8::/64"), since a client can use any address in it. Return any
    other address unchanged."""
    try:
        return str(ipaddress.IPv6Network((address.partition("%")[0], NETWORK_BITS), strict=False))
    except ValueError:
        return address


class Proxies:
    """The trusted proxies: the addresses and networks of CHARGEKEEPER_PROXIES."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(one) for one in networks]

    def __contains__(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(ip in network for network in self._networks)

    def client_of(self, address: str, forwarded: Iterable[str]) -> str:
        """Return the client's address for a connection from `address`. `forwarded` are the values of X-Forwarded-For,
        to which each proxy appends the address of its peer. The client is the last address that is not a trusted proxy;
        the entries before that can be forged."""
        said = [one.strip() for value in forwarded for one in value.split(",")]
        while address in self and said:
            before = said.pop()
            try:
                ipaddress.ip_address(before)
            except ValueError:
                return address
            address = before
        return address
