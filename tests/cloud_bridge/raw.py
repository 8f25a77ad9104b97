"""A unit that sends raw bytes, for what a well-behaved client never sends."""

import socket

from cloud_bridge.ingest import packets
from tests.cloud_bridge.running import DEADLINE_S, Bridge

CONNACK_OK = b"\x20\x02\x00\x00"


def connect_packet(
    client_id: str, user: str, secret: str, keep_alive_s: int = 60, level: int = 4, will: str | None = None
) -> bytes:
    flags = 0xC2 if will is None else 0xCE
    body = b"\0\x04MQTT" + bytes((level, flags)) + keep_alive_s.to_bytes(2) + text(client_id)
    if will is not None:
        body += text(will) + text("gone")
    return packets.whole(0x10, body + text(user) + text(secret))


def publish_packet(topic: str, payload: bytes, packet_id: int = 1, first_byte: int = 0x32) -> bytes:
    return packets.whole(first_byte, text(topic) + packet_id.to_bytes(2) + payload)


def text(value: str) -> bytes:
    return len(value.encode()).to_bytes(2) + value.encode()


class RawUnit:
    """A socket to the MQTT listener."""

    def __init__(self, bridge: Bridge) -> None:
        self._socket = socket.create_connection(("127.0.0.1", bridge.broker.port), DEADLINE_S)
        bridge.guests.append(self.close)

    def connect(self, unit_id: str, secret: str) -> "RawUnit":
        self.send(connect_packet(unit_id, unit_id, secret))
        assert self.receive(4) == CONNACK_OK
        return self

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self, size: int) -> bytes:
        """Receive this many bytes, or fewer if the bridge closes the connection."""
        got = b""
        try:
            while len(got) < size and (piece := self._socket.recv(size - len(got))):
                got += piece
        except ConnectionResetError:
            pass
        return got

    @property
    def was_closed(self) -> bool:
        """Wait for the bridge to close the connection; return whether it did."""
        return self.receive(1) == b""

    def close(self) -> None:
        self._socket.close()
