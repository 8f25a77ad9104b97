"""The network of a client: what limits and the security log go by, also of one that comes through a proxy of ours."""

import ipaddress
from collections.abc import Iterable

NETWORK_BITS = 64  # of IPv6, what a household has (RFC 6177)


def network_of(address: str) -> str:
    """Of IPv6 the network of 64 bits, as "2001:db8::/64", since whoever has one address has all of it; else the address."""
    try:
        return str(ipaddress.IPv6Network((address.partition("%")[0], NETWORK_BITS), strict=False))
    except ValueError:
        return address


class Proxies:
    """Those of CHARGEKEEPER_PROXIES, by their addresses and networks: whose word of a client is believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(one) for one in networks]

    def __contains__(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(ip in network for network in self._networks)

    def client_of(self, address: str, forwarded: Iterable[str]) -> str:
        """Who is behind a connection from `address`; `forwarded` are the values of X-Forwarded-For, where each proxy adds the
        address that it was asked from at the end. The last that is no proxy of ours is the client, and what stands before it
        may be anybody's word."""
        said = [one.strip() for value in forwarded for one in value.split(",")]
        while address in self and said:
            before = said.pop()
            try:
                ipaddress.ip_address(before)
            except ValueError:
                return address
            address = before
        return address
