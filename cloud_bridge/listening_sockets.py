"""Listening sockets for pages and units: IPv4, IPv6, or both.

Both are two sockets on one port, not one dual-stack socket, which would report IPv4 peers as ::ffff:192.0.2.7. Login
limits and trusted proxies need the plain address.
"""

import socket
from contextlib import ExitStack

BACKLOG = 1024
ANYWHERE = ("::", "0.0.0.0")  # the addresses that the host "::" stands for
LOOPBACK = "127.0.0.1"  # reaches a socket on either of them from this machine
TRIES = 20  # to find one port that is free in both families


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Open a socket on every address of `host`, all on one port. With port 0 the system chooses it. Raises OSError."""
    hosts = ANYWHERE if host == "::" else (host,)
    addresses = list(dict.fromkeys(one for name in hosts for one in _addresses(name)))
    tries_left = TRIES if port == 0 and len(addresses) > 1 else 1
    while True:
        tries_left -= 1
        try:
            return _bind_all(addresses, port)
        except OSError:
            if not tries_left:
                raise


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [
        (family, str(address[0])) for family, _, _, _, address in rows if family in (socket.AF_INET, socket.AF_INET6)
    ]


def _bind_all(addresses: list[tuple[socket.AddressFamily, str]], port: int) -> list[socket.socket]:
    missing: OSError | None = None
    with ExitStack() as on_failure:
        sockets: list[socket.socket] = []
        for family, address in addresses:
            try:
                one = socket.create_server((address, port), family=family, backlog=BACKLOG)
            except OSError as error:
                if len(addresses) == 1 or not _is_absent(family):
                    raise
                missing = error
                continue
            sockets.append(on_failure.enter_context(one))
            port = one.getsockname()[1]
        if not sockets and missing is not None:
            raise missing
        on_failure.pop_all()
        return sockets


def _is_absent(family: socket.AddressFamily) -> bool:
    """Return whether this machine does not support the address family, such as a container without IPv6."""
    try:
        socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family).close()
    except OSError:
        return True
    return False
