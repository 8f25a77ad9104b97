"""The socket for umqtt.simple: combines each packet into one write, and gives every read a deadline.

umqtt.simple 1.3.4 writes each packet in three to six pieces. Over TLS, each piece would be a separate record (22 bytes more);
on a modem, a separate command. It reads byte by byte, and its reads have no deadline after the first packet. PacketSocket
buffers the pieces until something is read or `send` is called. A read returns all requested bytes or raises OSError.
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
    20000  # one publish with its PUBACK, or CONNECT with CONNACK: GPRS answers within 2 s, or 10 s in poor conditions
)
CONNECT_MS = 80000  # TCP; longer than the modem's 75 s, so that its late result is not mistaken for the next attempt's
EPROTO = 71  # Linux; MicroPython's errno does not define it
PACKET_MAX = 2048  # bytes of one packet, sent or received; the longest that the unit sends has about 300


class PacketSocket:
    """A socket over `transport`, a modem.stream.Stream or secure.SecureStream. `begin` starts an operation's deadline."""

    def __init__(self, transport: "Transport", clock: "Clock") -> None:
        self._transport = transport
        self._clock = clock
        self._out = bytearray()
        self._blocking = True
        self._until_ms = 0
        self.received = 0  # bytes since the start
        self.last_byte = 0  # the last byte that was received

    def begin(self, within_ms: int = OPERATION_MS) -> None:
        """Set a deadline, `within_ms` from now, for all reads and writes until the next `begin`."""
        self._until_ms = self._clock.now_ms() + within_ms

    def connect(self, address: "tuple[str, int]") -> None:
        """Connect the transport, with its own deadlines. The operation's deadline starts afterwards, because a slow network
        may need longer to connect.
        """
        self._transport.connect(address[0], address[1], CONNECT_MS)
        self.begin()

    def write(self, data: "str | bytes | bytearray", length: "int | None" = None) -> None:
        piece = data.encode() if isinstance(data, str) else data
        self._out = self._out + (piece if length is None else piece[:length])
        if len(self._out) > PACKET_MAX:
            self._out = bytearray()
            raise OSError(errno.ENOBUFS)

    def send(self) -> None:
        """Write the buffered bytes, in as few writes as the transport accepts. Raises OSError(ETIMEDOUT) if it does not accept
        all of them in time; the rest stays in the buffer, because the peer must receive it before any later bytes.
        """
        while self._out:
            self._transport.settimeout(self._left_s())
            taken = self._transport.write(self._out) or 0
            self._out = self._out[taken:]

    def setblocking(self, blocking: bool) -> None:
        self._blocking = blocking

    def read(self, wanted: int) -> "bytes | None":
        """Return exactly `wanted` bytes; None if not blocking and nothing was received. Raises OSError, and at end of file."""
        self.send()
        if wanted > PACKET_MAX:
            raise OSError(errno.ENOBUFS)
        if wanted < 0:  # a malformed packet, whose fields are longer than the packet
            raise OSError(EPROTO)
        got = b""
        while len(got) < wanted:
            self._transport.settimeout(self._left_s() if self._blocking or got else 0)
            piece = self._transport.read(wanted - len(got))
            if piece is None:
                if self._blocking or got:
                    continue  # until the deadline: _left_s raises
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
