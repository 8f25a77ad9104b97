"""Does the simulated UART input have the speed of its line, and lose what does not fit its ring?"""

import asyncio
import os
import time

from hil_tests.sim.pty import Pty
from hil_tests.sim.uart_ring import BYTES_PER_S, RING_BYTES, UartRing

PATIENCE_S = 10


async def _fed(count: int, reads: bool) -> tuple[bytes, int, float]:
    """Send `count` bytes to a client that reads all the time, or at the end; return what it read, the loss, the time."""
    line = Pty(lambda _: None)
    client = os.open(line.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    ring = UartRing(line)
    got = b""
    begun_s = time.monotonic()
    ring.write(bytes(range(256)) * (count // 256))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while len(got) + ring.lost_bytes + (0 if reads else line.unread_bytes()) < count:
                await asyncio.sleep(0.001)
                if reads:
                    got += _read(client)
            took_s = time.monotonic() - begun_s
            await asyncio.sleep(0.02)
            return got + _read(client), ring.lost_bytes, took_s
    finally:
        ring.close()
        line.close()
        os.close(client)


def _read(client: int) -> bytes:
    try:
        return os.read(client, 4096)
    except BlockingIOError:
        return b""


def test_a_client_that_reads_gets_everything_at_the_speed_of_the_line() -> None:
    got, lost, took_s = asyncio.run(_fed(1024, reads=True))
    assert got == bytes(range(256)) * 4 and lost == 0
    assert took_s >= 0.9 * 1024 / BYTES_PER_S


def test_a_client_that_stalls_gets_what_the_ring_held_and_the_rest_is_counted() -> None:
    got, lost, _ = asyncio.run(_fed(1024, reads=False))
    assert len(got) + lost == 1024
    sent = iter(bytes(range(256)) * 4)
    assert all(byte in sent for byte in got), "in their order"
    assert (
        len(got) >= RING_BYTES
    )  # a busy machine's kernel passes bytes on late, and buffers some: after a loss there is room again
