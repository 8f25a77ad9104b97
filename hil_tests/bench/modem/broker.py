"""A minimal MQTT 3.1.1 broker for one unit: it accepts every login and acknowledges everything."""

import asyncio
import contextlib
import math

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 8, 12, 14
CONNACK, PUBACK, SUBACK, PINGRESP = b"\x20\x02\x00\x00", b"\x40\x02", b"\x90\x03", b"\xd0\x00"


class Broker:
    """A broker. `accepted`, `messages` and `contacts` are the times of connections, of all messages, and of publishes.
    A `deaf` broker receives everything and sends nothing. Without `acknowledges` it accepts connections and acknowledges no
    publish.

    `forgets_s`: a carrier on the way forgets a connection that was silent for longer. It then drops what comes over it
    or, with `resets`, resets the connection.
    """

    def __init__(self) -> None:
        self.accepted: list[float] = []
        self.messages: list[float] = []
        self.contacts: list[float] = []
        self.deaf = False
        self.acknowledges = True
        self.forgets_s = math.inf
        self.resets = False
        self.port = 0
        self._server: asyncio.Server | None = None
        self._connected: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen on a free port of this machine, or again on the earlier port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def become(self, up: bool = True, deaf: bool = False) -> None:
        """Stop, which closes all connections, or start again. A `deaf` broker runs without answering."""
        self.deaf = deaf
        self.close()
        if up:
            await self.start()

    def close(self) -> None:
        """Close all connections and stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._connected:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connected.add(writer)
        self.accepted.append(asyncio.get_running_loop().time())
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            while answer := await self._answer(reader, writer):
                if not self.deaf:
                    writer.write(answer)
        self._connected.discard(writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        now = asyncio.get_running_loop().time
        silent_since_s = now()
        first = (await reader.readexactly(1))[0]
        if now() - silent_since_s > self.forgets_s:
            if self.resets:
                writer.transport.abort()
            await reader.read()
            return b""
        body = await reader.readexactly(await _length(reader))
        kind = first >> 4
        self.messages.append(now())
        if kind == CONNECT:
            return CONNACK
        if kind == PUBLISH and not self.acknowledges:
            return await self._answer(reader, writer)
        if kind == PUBLISH:
            if not self.deaf:
                self.contacts.append(now())
            at = 2 + int.from_bytes(body[:2])
            return PUBACK + body[at : at + 2]
        if kind == SUBSCRIBE:
            return SUBACK + body[:2] + b"\x01"
        return PINGRESP if kind == PINGREQ else b""


async def _length(reader: asyncio.StreamReader) -> int:
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return length
