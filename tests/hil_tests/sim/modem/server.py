"""A server for the simulated modem's connections, and payload that a careless client takes for output of the modem."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

NASTY = b"\r\nOK\r\n> CLOSED\r\nERROR\r\n+CREG: 0\r\n\x00\x1a\x1b\xff"


class Server:
    """A TCP server that records what it receives and its connections."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.writers: list[asyncio.StreamWriter] = []
        self.ended = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.writers.append(writer)
        while chunk := await reader.read(4096):
            self.received += chunk
        self.ended = True


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[tuple[Server, int]]:
    """Run a server on a free port of this machine."""
    server = Server()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    try:
        yield server, listener.sockets[0].getsockname()[1]
    finally:
        for writer in server.writers:
            writer.close()
        listener.close()
