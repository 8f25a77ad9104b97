"""A unit of a few raw packets: it knows what was acknowledged, and nothing of our code."""

import socket
import struct

ANSWER_WITHIN_S = 10.0
PUBACK = 0x40


def _field(value: str) -> bytes:
    return struct.pack(">H", len(value.encode())) + value.encode()


def packet(first_byte: int, body: bytes) -> bytes:
    """With a remaining length of up to two bytes, which is 16,383."""
    size = len(body)
    length = bytes((size,)) if size < 128 else bytes((size & 127 | 128, size >> 7))
    return bytes((first_byte,)) + length + body


def connect(name: str, secret: str, will: str | None = None, client_id: str | None = None) -> bytes:
    flags = 0xC2 if will is None else 0xCE
    body = b"\0\x04MQTT\x04" + bytes((flags,)) + b"\0\x3c" + _field(client_id or name)
    if will is not None:
        body += _field(will) + _field("{}")
    return packet(0x10, body + _field(name) + _field(secret))


def publish(topic: str, payload: bytes, packet_id: int, first_byte: int = 0x32) -> bytes:
    return packet(first_byte, _field(topic) + struct.pack(">H", packet_id) + payload)


class Station:
    """One connection. Every method raises OSError when the broker is gone."""

    def __init__(self, port: int, name: str, secret: str, will: str | None = None) -> None:
        self.name = name
        self._packet_id = 0
        self._socket = socket.create_connection(("127.0.0.1", port), ANSWER_WITHIN_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(connect(name, secret, will))
        answer = self._read(4)
        if answer != b"\x20\x02\0\0":
            self.close()
            raise ConnectionRefusedError(f"CONNACK {answer.hex()}")

    def say(self, kind: str, payload: bytes, retain: bool = False, unit: str | None = None, dup: bool = False) -> None:
        """Publish with QoS 1; returns when it is acknowledged."""
        self._packet_id = self._packet_id % 0xFFFF + 1
        first_byte = 0x32 | (1 if retain else 0) | (8 if dup else 0)
        self._socket.sendall(publish(f"cp/{unit or self.name}/{kind}", payload, self._packet_id, first_byte))
        answer = self._read(4)
        if answer != struct.pack(">BBH", PUBACK, 2, self._packet_id):
            raise ConnectionError(f"{answer.hex()} and no PUBACK of {self._packet_id}")

    def close(self) -> None:
        self._socket.close()

    def drop(self) -> None:
        """Gone without a word, so that the broker sends the will."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def _read(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            try:
                piece = self._socket.recv(size - len(got))
            except OSError:
                self.close()
                raise
            if not piece:
                self.close()
                raise ConnectionResetError("the broker closed the connection")
            got += piece
        return got
