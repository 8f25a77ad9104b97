"""A megabyte through the stream and back while URCs appear anywhere and bytes are lost: is any error silent?

Blocks go to an echo server and come back. After an OSError, which is a reported error, the client reconnects and sends
the block again. A block that comes back changed is a silent corruption, and none is allowed. In virtual time.
"""

import asyncio
import contextlib
import random

from hil_tests.bench.modem.virtual_time import Clock, Port, VirtualLoop
from hil_tests.sim.modem.noise import Noise
from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.simcom import Modem as SimulatedModem
from modem import startup
from modem.client import Modem
from modem.errors import ModemError
from modem.families import sim800
from modem.stream import Stream

BLOCK_BYTES = 1_000
URC_ONE_IN = 3_000  # of the bytes from the modem
LOSE_ONE_IN = 8_000  # of the bytes from the modem and to it
DANGEROUS = (b"\r\nOK\r\n", b"\r\nERROR\r\n", b"> ", b"\r\n0, CLOSED\r\n", b"\r\n+CREG: 0\r\n", b"\r\n+PDP: DEACT\r\n")


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while chunk := await reader.read(4096):
            writer.write(chunk)
    writer.close()


class _Line:
    """A client and a modem, with noise in both directions."""

    def __init__(self, seed: int) -> None:
        self.loop = VirtualLoop()
        self.clock = Clock(self.loop)
        self.modem = self.loop.inside(SimulatedModem, World(seed))
        to_modem = Noise(self.modem.receive, random.Random(seed), 0, 0)
        self.port = Port(self.clock, to_modem.write)
        from_modem = Noise(self.port.receive, random.Random(seed + 1), 0, 0)
        self.modem.wire(from_modem.write)
        self.wires = (to_modem, from_modem)
        self.client = Modem(self.port, self.clock, sim800.FAMILY)
        self.stream = Stream(self.client, self.clock)
        server = self.loop.run_until_complete(asyncio.start_server(_echo, "127.0.0.1", 0))
        self.tcp_port = server.sockets[0].getsockname()[1]

    def supply(self, on: bool) -> None:
        self.loop.inside(self.modem.supply, on)

    def key(self, pressed: bool) -> None:
        self.loop.inside(self.modem.key, pressed)

    def bring_up(self) -> None:
        startup.power_cycle(self.client, self)
        startup.configure(self.client)
        self.reconnect()

    def reconnect(self) -> None:
        self.stream.close()
        startup.wait_for_network(self.client)
        startup.open_pdp_context(self.client, "internet")
        self.stream.connect("127.0.0.1", self.tcp_port)

    def make_noisy(self) -> None:
        to_modem, from_modem = self.wires
        to_modem.lose_one_in = from_modem.lose_one_in = LOSE_ONE_IN
        from_modem.urc_one_in = URC_ONE_IN


def _block(source: random.Random) -> bytes:
    """Return random bytes that contain a line with a meaning outside payload."""
    block = bytearray(source.randbytes(BLOCK_BYTES))
    danger = source.choice(DANGEROUS)
    at = source.randrange(BLOCK_BYTES - len(danger))
    block[at : at + len(danger)] = danger
    return bytes(block)


def run(size: int = 1_000_000, seed: int = 1) -> bool:
    """Print the results. Return True if nothing was corrupted silently."""
    line = _Line(seed)
    line.bring_up()
    line.make_noisy()
    source = random.Random(seed)
    corrupted = errors = 0
    for _ in range(size // BLOCK_BYTES):
        block = _block(source)
        while True:
            try:
                if line.stream.write(block) == len(block):
                    came_back = line.stream.read(len(block)) or b""
                    corrupted += came_back != block[: len(came_back)]
                    if len(came_back) == len(block):
                        break  # fewer bytes are an end of file, which is a reported error too
            except OSError:
                pass
            errors += 1
            _again(line)
    urcs, lost = line.wires[1].urcs, sum(wire.lost for wire in line.wires)
    print(
        f"stream: {size:,} bytes there and back, {urcs} URCs and {lost} lost bytes on the line:"
        f" {corrupted} silent corruptions, {errors} connections given up with an error,"
        f" {line.loop.time() / 3600:.1f} h of the modem's time"
    )
    line.loop.inside(line.modem.close)
    line.loop.finish()
    return corrupted == 0


def _again(line: _Line) -> None:
    for _ in range(20):
        try:
            line.reconnect()
            return
        except (OSError, ModemError):
            continue
    raise RuntimeError("no connection in twenty attempts")
