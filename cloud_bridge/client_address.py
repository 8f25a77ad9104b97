"""The network of a client: what limits and the security log go by."""

import ipaddress

NETWORK_BITS = 64  # of IPv6, what a household has (RFC 6177)


def network_of(address: str) -> str:
    """Of IPv6 the network of 64 bits, as "2001:db8::/64", since whoever has one address has all of it; else the address."""
    try:
        return str(ipaddress.IPv6Network((address.partition("%")[0], NETWORK_BITS), strict=False))
    except ValueError:
        return address
