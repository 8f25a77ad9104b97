"""Slow sockets: hundreds of MQTT and HTTP connections from four addresses, which send a byte now and then."""

import socket
from collections import deque
from contextlib import suppress

from hil_tests.siege.attack import Attack

ADDRESSES = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
MOST = 800  # open connections; HTTP allows 100 from one address
PAUSE_S = 0.01
CONNECT_WITHIN_S = 5.0
BEGINNINGS = {
    "mqtt": (b"", b"\x10", b"\x10\xff\xff\xff\x7f", b"\x10\x20\0\4MQTT\4\xc2", b"\x30\x05", b"\x16\x03\x01\x02"),
    "http": (
        b"",
        b"G",
        b"GET /",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
        b"\x16\x03\x01\x02",
        b"PRI * HTTP/2.0\r\n\r\n",
    ),
}
DRIPS = (b"\0", b"a", b"\r\n", b"\xff")


def attack(attack: Attack) -> None:
    """Open one connection at a time, and close the oldest above MOST."""
    ports = {"mqtt": attack.target.mqtt_port, "http": attack.target.http_port}
    opened: deque[socket.socket] = deque()
    try:
        while not attack.over.wait(PAUSE_S):
            kind, address = attack.random.choice(list(ports)), attack.random.choice(ADDRESSES)
            try:
                one = socket.create_connection(("127.0.0.1", ports[kind]), CONNECT_WITHIN_S, (address, 0))
            except OSError as error:
                attack.counts[f"{kind} {type(error).__name__}"] += 1
                continue
            opened.append(one)
            one.setblocking(False)
            with suppress(OSError):
                one.send(attack.random.choice(BEGINNINGS[kind]))
            attack.counts[f"{kind} opened"] += 1
            try:
                attack.random.choice(opened).send(attack.random.choice(DRIPS))
                attack.counts["drips"] += 1
            except OSError:
                attack.counts["drips on a closed one"] += 1
            if len(opened) > MOST:
                opened.popleft().close()
    finally:
        for one in opened:
            one.close()
