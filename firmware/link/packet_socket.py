"""The socket that umqtt.simple is given: it gathers a packet into one write and puts a deadline on every read.

umqtt.simple 1.3.4 writes each packet in three to six pieces. Over TLS each would be a record of its own (22 bytes more),
on a modem each a command of its own. It reads byte by byte, and its reads have no deadline after the first packet. Here a
piece is kept until something is read or `send` is called, and a read gets all its bytes or an OSError.
"""

import errno

if False:  # for mypy alone
    from typing import Protocol

    from firmware.clock import Clock

    class Transport(Protocol):
        def connect(self, host: str, port: int, timeout_ms: int) -> None: ...
        def settimeout(self, seconds: float) -> None: ...
        def read(self, most: int) -> bytes | None: ...
        def write(self, data: bytearray) -> int | None: ...
        def close(self) -> None: ...


OPERATION_MS = (
    20000  # one publish with its PUBACK, one CONNECT with its CONNACK: GPRS answers within 2 s, or 10 when it is bad
)
CONNECT_MS = 80000  # TCP; longer than the modem's 75 s, whose answer would be taken for that of the next attempt
EPROTO = 71  # Linux; MicroPython's errno has no name for it
PACKET_MAX = 2048  # bytes of one packet, out and in; the longest of ours is about 300


class PacketSocket:
    """`transport` is a modem.stream.Stream or a TLS socket over one; `begin` starts the deadline of an operation."""

    def __init__(self, transport: "Transport", clock: "Clock") -> None:
        self._transport = transport
        self._clock = clock
        self._out = bytearray()
        self._blocking = True
        self._until_ms = 0
        self.received = 0  # bytes
        self.last_byte = 0  # of them

    def begin(self, within_ms: int = OPERATION_MS) -> None:
        """Everything read until the next `begin` must be there within `within_ms`."""
        self._until_ms = self._clock.now_ms() + within_ms

    def connect(self, address: "tuple[str, int]") -> None:
        """Has deadlines of its own; the operation's starts when it is done, or a slow network would never be joined."""
        self._transport.connect(address[0], address[1], CONNECT_MS)
        self.begin()

    def write(self, data: "str | bytes | bytearray", length: "int | None" = None) -> None:
        piece = data.encode() if isinstance(data, str) else data
        self._out = self._out + (piece if length is None else piece[:length])
        if len(self._out) > PACKET_MAX:
            self._out = bytearray()
            raise OSError(errno.ENOBUFS)

    def send(self) -> None:
        """Pass on what was gathered, in as few writes as the transport takes. ETIMEDOUT if it does not take all in time: the
        rest stays ahead of what is written next, for the other side could not tell it from that."""
        while self._out:
            self._transport.settimeout(self._left_s())
            taken = self._transport.write(self._out) or 0
            self._out = self._out[taken:]

    def setblocking(self, blocking: bool) -> None:
        self._blocking = blocking

    def read(self, wanted: int) -> "bytes | None":
        """Exactly `wanted` bytes; None if the wire does not block and nothing has come; OSError at the end of the stream."""
        self.send()
        if wanted > PACKET_MAX:
            raise OSError(errno.ENOBUFS)
        if wanted < 0:  # a packet whose fields are longer than itself
            raise OSError(EPROTO)
        got = b""
        while len(got) < wanted:
            self._transport.settimeout(self._left_s() if self._blocking or got else 0)
            piece = self._transport.read(wanted - len(got))
            if piece is None:
                if self._blocking or got:
                    continue  # the deadline ends this: _left_s
                return None
            if piece == b"":
                raise OSError(errno.ECONNRESET)
            got += piece
            self.received += len(piece)
            self.last_byte = piece[-1]
        return got

    def _left_s(self) -> float:
        left_ms = self._until_ms - self._clock.now_ms()
        if left_ms <= 0:
            raise OSError(errno.ETIMEDOUT)
        return left_ms / 1000

    def close(self) -> None:
        self._out = bytearray()
        self._transport.close()
