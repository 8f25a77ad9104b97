"""Which hosts an account may have us call: only those with all their addresses on the internet.

`ipaddress` classifies addresses by IANA's registries of special-purpose addresses. NOT_INTERNET has those for which its answer
depends on Python's version, and those that are public by class but lead to internal services. A name is resolved once for a
connection, and the connection is made to an address that was checked, so a different second answer of the name server (DNS
rebinding) has no effect.
"""

import ipaddress
import socket
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread

from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.words import N_

MAX_LOOKUPS = 32  # at a time; a lookup outlives its delivery if the name server does not answer

NOT_INTERNET = [
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # RFC 6890, with the metadata service of Oracle Cloud; global for Python before 3.11.10
        "192.88.99.0/24",  # relays of 6to4, RFC 7526
        "168.63.129.16/32",  # Azure's host services: public by class, reached from inside only
        "2001::/23",  # IETF protocol assignments, with Teredo (RFC 4380)
        "3fff::/20",  # documentation, RFC 9637; global for Python before 3.11.10
    )
]
IPV6_UNICAST = ipaddress.ip_network("2000::/3")  # everything that IANA has assigned to the internet
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052, section 2.1: the IPv4 address is in the last 32 bits

_lookups = BoundedSemaphore(MAX_LOOKUPS)


def is_public(text: str) -> bool:
    """Return True for the address of a host on the internet. NAT64 addresses count as the IPv4 address that they contain.
    Other tunnels (6to4, Teredo) and mapped addresses are never public, because no server uses them."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address in NAT64:
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)))
        is_native = address.sixtofour is None and address.teredo is None and address.ipv4_mapped is None
        if address not in IPV6_UNICAST or not is_native:
            return False
    is_special = address.is_multicast or address.is_reserved or any(address in network for network in NOT_INTERNET)
    return address.is_global and not is_special


def public_addresses(host: str, port: int, within_s: float) -> list[str]:
    """Return the host's addresses, in the order in which to try them. Raises NotDelivered unless all are on the internet."""
    if not _lookups.acquire(blocking=False):
        raise NotDelivered(N_("the name server does not answer"))
    found: Future[list[str]] = Future()
    Thread(target=_look_up, args=(host, port, found), name="lookup", daemon=True).start()
    try:
        addresses = found.result(within_s)
    except TimeoutError:
        raise NotDelivered(N_("the name server does not answer")) from None
    except (OSError, UnicodeError) as error:
        raise NotDelivered(N_("the name of the host is not known")) from error
    if not addresses or not all(is_public(address) for address in addresses):
        raise NotDelivered(N_("the address is not on the internet"))
    return addresses


def _look_up(host: str, port: int, found: "Future[list[str]]") -> None:
    """Resolve the host in a thread, because getaddrinfo has no timeout."""
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found.set_result([str(row[4][0]).partition("%")[0] for row in rows])
    except Exception as error:
        found.set_exception(error)
    finally:
        _lookups.release()
