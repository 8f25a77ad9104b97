"""A bad network between a TCP client and a server: a proxy that can disturb each direction separately.

`python -m hil_tests.sim.network 8884 127.0.0.1:8883 --up delay=0.2,jitter=0.1 --down rate=1000` forwards to a server;
`up` is towards the server. A program can create a `Network` and change `up`, `down` and the rest while it runs.
"""

import argparse
import asyncio
import contextlib
import random
import signal
import socket
import struct
import sys
from dataclasses import dataclass, fields

READ_BYTES = 16_384
WAITING_BYTES = 262_144  # under way in one direction; then the sender has to wait, as with a full pipe
SEGMENT_HEADERS_BYTES = 20 + 20 + 12  # IPv4, TCP, its timestamps
TCP_INFO_BYTES = 144  # of struct tcp_info (linux/tcp.h), up to the counts of segments
ACKED_AT, SEGMENTS_AT = (
    120,
    136,
)  # in it: two of 64 bits, bytes acknowledged and received; two of 32, segments out and in
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, no time


@dataclass
class Way:
    """What happens to bytes in one direction from now on."""

    swallow: bool = False  # bytes are dropped without notice: half open
    delay: float = 0.0  # seconds
    jitter: float = 0.0  # up to this many seconds more; the order is kept
    slice: int = 0  # bytes delivered at a time; 0 = as they come
    rate: int = 0  # bytes a second; 0 = unlimited
    cut: int | None = None  # after this many more bytes both ends are reset


class Network:
    """The proxy. The same seed draws the same jitter. Use it on one event loop."""

    def __init__(self, host: str, port: int, seed: int = 0) -> None:
        self.up, self.down = Way(), Way()
        self.port = 0  # where it listens, once started
        self.connections = 0  # since the start
        self.carried = {"up": 0, "down": 0}  # bytes
        self._closed_air_bytes = 0
        self._server_at = (host, port)
        self._random = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._open: set[Connection] = set()

    def air_bytes(self) -> int:
        """Return the bytes between client and proxy in both directions, headers and data of all connections, as the
        kernel counts."""
        return self._closed_air_bytes + sum(one.air_bytes() for one in self._open)

    async def start(self, port: int = 0) -> int:
        """Listen on loopback and return the port. This also ends an outage. Raises OSError."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", port or self.port)
            self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def outage(self) -> None:
        """Reset every connection and refuse new ones, until `start`."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()
        await asyncio.sleep(0)

    def reset(self) -> None:
        """Reset both ends of every connection. New connections are accepted."""
        for connection in tuple(self._open):
            connection.reset()

    def heal(self) -> None:
        """End all disturbances. Bytes that were swallowed stay lost."""
        self.up, self.down = Way(), Way()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._server_at)
        except OSError:
            _close_with_reset(writer)
            return
        connection = Connection(writer, far_writer)
        self._open.add(connection)
        try:
            async with asyncio.TaskGroup() as tasks:
                connection.tasks = [
                    tasks.create_task(self._carry("up", reader, far_writer, connection)),
                    tasks.create_task(self._carry("down", far_reader, writer, connection)),
                ]
        finally:
            self._open.discard(connection)
            self._closed_air_bytes += connection.air_bytes()
            for end in (writer, far_writer):
                end.close()

    async def _carry(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: "Connection"
    ) -> None:
        """Carry one direction of one connection until its sender closes."""
        pipe = Pipe()
        delivering = asyncio.create_task(self._deliver(name, pipe, writer, connection))
        try:
            with contextlib.suppress(OSError):
                while chunk := await reader.read(READ_BYTES):
                    way: Way = getattr(self, name)
                    if not way.swallow:
                        await pipe.put(chunk, way.delay + self._random.uniform(0, way.jitter))
            await pipe.end()
            await delivering
        finally:
            delivering.cancel()

    async def _deliver(self, name: str, pipe: "Pipe", writer: asyncio.StreamWriter, connection: "Connection") -> None:
        try:
            while chunk := await pipe.take():
                way: Way = getattr(self, name)
                step = way.slice or len(chunk)
                for at in range(0, len(chunk), step):
                    piece = chunk[at : at + step]
                    if way.cut is not None and len(piece) >= way.cut:
                        writer.write(piece[: way.cut])
                        await writer.drain()
                        way.cut = None  # once
                        connection.reset()
                        return
                    if way.cut is not None:
                        way.cut -= len(piece)
                    writer.write(piece)
                    await writer.drain()
                    self.carried[name] += len(piece)
                    await asyncio.sleep(len(piece) / way.rate if way.rate else 0)
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:  # the far end is gone, so nothing empties the pipe
            connection.reset()


class Connection:
    """Both ends of one connection."""

    def __init__(self, *ends: asyncio.StreamWriter) -> None:
        self._ends = ends
        self.tasks: list[asyncio.Task[None]] = []
        self._air_bytes = 0  # the last value that could be read

    def air_bytes(self) -> int:
        """Return the bytes at the client's end, headers included."""
        own: socket.socket | None = self._ends[0].get_extra_info("socket")
        if own is not None and own.fileno() >= 0:
            told = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
            data, segments = struct.unpack_from("QQ", told, ACKED_AT), struct.unpack_from("II", told, SEGMENTS_AT)
            self._air_bytes = sum(data) + SEGMENT_HEADERS_BYTES * sum(segments)
        return self._air_bytes

    def reset(self) -> None:
        """Reset both ends."""
        for end in self._ends:
            _close_with_reset(end)
        for task in self.tasks:
            task.cancel()


class Pipe:
    """Bytes under way in one direction: chunks in order, each with the time at which it is due."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WAITING_BYTES // READ_BYTES)
        self._last_due_s = 0.0

    async def put(self, chunk: bytes, delay_s: float) -> None:
        """Add a chunk that arrives after `delay_s`, and never before an earlier chunk."""
        self._last_due_s = max(self._last_due_s, asyncio.get_running_loop().time() + delay_s)
        await self._queue.put((self._last_due_s, chunk))

    async def end(self) -> None:
        """Mark the end: the sender has closed."""
        await self._queue.put((self._last_due_s, b""))

    async def take(self) -> bytes:
        """Return the next chunk when it is due, or b"" at the end."""
        due_s, chunk = await self._queue.get()
        await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))
        return chunk


def _close_with_reset(writer: asyncio.StreamWriter) -> None:
    own: socket.socket | None = writer.get_extra_info("socket")
    if own is not None and own.fileno() >= 0:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()


def read_way(text: str) -> Way:
    """Parse `delay=0.2,slice=3,swallow`. Raises ValueError with the unknown name."""
    kinds = {"swallow": bool, "delay": float, "jitter": float, "slice": int, "rate": int, "cut": int}
    values: dict[str, bool | float | int] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if name not in kinds:
            raise ValueError(f"{name!r} is none of {', '.join(field.name for field in fields(Way))}")
        values[name] = True if name == "swallow" else kinds[name](value)
    return Way(**values)  # type: ignore[arg-type]  # each by its own kind, from the table above


async def _run(network: Network, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print(f"listening on 127.0.0.1:{await network.start(port)}; Ctrl-C ends it", flush=True)
    await stop.wait()
    await network.outage()


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.sim.network", description="A bad network, as a proxy.")
    parser.add_argument("port", type=int, help="where to listen, on loopback; 0 chooses one")
    parser.add_argument("server", help="HOST:PORT of the server behind it")
    parser.add_argument("--up", type=read_way, default=Way(), metavar="FAULTS", help="towards the server")
    parser.add_argument("--down", type=read_way, default=Way(), metavar="FAULTS", help="swallow,delay=S,jitter=S,...")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    host, _, port = options.server.rpartition(":")
    network = Network(host, int(port), options.seed)
    network.up, network.down = options.up, options.down
    asyncio.run(_run(network, options.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
