"""Sockets that listen, for pages and for units: IPv4, IPv6, or both.

Both are two sockets on one port, and not one that takes IPv4 as ::ffff:192.0.2.7: the limits of wrong passwords and the
trust in a proxy go by the address as it is.
"""

import socket
from contextlib import ExitStack

BACKLOG = 1024
ANYWHERE = ("::", "0.0.0.0")  # what "::" stands for
LOOPBACK = "127.0.0.1"  # where each of them answers on the machine itself
TRIES = 20  # for one port that is free in both families


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """On every address that `host` stands for, all on one port; the system chooses it when 0. Raises OSError."""
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
    """Whether this machine has no such network at all, as a container without IPv6."""
    try:
        socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family).close()
    except OSError:
        return True
    return False
