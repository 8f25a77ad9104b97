#!/usr/bin/python3
"""`one_unit SECRET`: connect as charge point CK-0001 over TLS, publish a heartbeat, and wait for the acknowledgement.

One MQTT 3.1.1 connection of raw packets (OASIS MQTT 3.1.1, 3.1 to 3.4). It trusts only the authority of `tls make`.
"""

import json
import socket
import ssl
import struct
import sys
import time

AUTHORITY = "/var/lib/chargekeeper/tls/ca.pem"
HOST, PORT = "chargers.example", 8883
UNIT = "CK-0001"
WITHIN_S = 30.0


def field(value: str) -> bytes:
    return struct.pack(">H", len(value)) + value.encode()


def packet(first_byte: int, body: bytes) -> bytes:
    """Return a whole packet. `body` is shorter than 128 bytes."""
    return bytes((first_byte, len(body))) + body


def main() -> None:
    secret = sys.argv[1]
    heartbeat = {"n": int(time.time()), "b": 1, "s": "A1", "m": "smart", "q": 20}
    context = ssl.create_default_context(cafile=AUTHORITY)
    with (
        socket.create_connection((HOST, PORT), WITHIN_S) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as line,
    ):
        line.sendall(packet(0x10, b"\0\x04MQTT\x04\xc2\0\x3c" + field(UNIT) + field(UNIT) + field(secret)))
        if line.recv(4) != b"\x20\x02\0\0":
            sys.exit("it was not let in")
        line.sendall(packet(0x32, field(f"cp/{UNIT}/heartbeat") + b"\0\1" + json.dumps(heartbeat).encode()))
        if line.recv(4) != b"\x40\x02\0\1":
            sys.exit("it was not acknowledged")
        line.sendall(b"\xe0\0")


if __name__ == "__main__":
    main()
