"""The input of a UART: bytes arrive at the line's speed and stay in a ring buffer until they are read. Others are lost.

The ring buffer holds what the client of the pty has not read yet.
"""

import asyncio

from hil_tests.sim.pty import Pty

RING_BYTES = 260  # of MicroPython's console on the ESP32 (ports/esp32/mphalport.c)
BYTES_PER_S = 11_520  # 115,200 baud, ten bits a byte
SLICE_S = 0.002
LINE_LIMIT_BYTES = 65_536  # the most that the sender may have on its way


class UartRing:
    """A UART input. `lost_bytes` counts bytes that came while the ring buffer was full."""

    def __init__(self, line: Pty, ring_bytes: int = RING_BYTES) -> None:
        self._line, self._ring_bytes = line, ring_bytes
        self._loop = asyncio.get_running_loop()
        self._coming = bytearray()
        self._sent_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.lost_bytes = 0

    def write(self, chunk: bytes) -> None:
        """Send bytes. Never waits."""
        self._coming += chunk[: LINE_LIMIT_BYTES - len(self._coming)]
        if self._timer is None:
            self._sent_s = self._loop.time()
            self._timer = self._loop.call_later(SLICE_S, self._arrive)

    def close(self) -> None:
        """Discard what is on its way."""
        if self._timer is not None:
            self._timer.cancel()

    def _arrive(self) -> None:
        """Deliver the bytes of at most two slices, however late: a busy machine slows the line and does not flood the
        ring buffer."""
        count = max(1, round(min(self._loop.time() - self._sent_s, 2 * SLICE_S) * BYTES_PER_S))
        self._sent_s = self._loop.time()
        piece = bytes(self._coming[:count])
        del self._coming[:count]
        room = max(0, self._ring_bytes - self._line.unread_bytes())
        self.lost_bytes += max(0, len(piece) - room)
        if piece[:room]:
            self._line.write(piece[:room])
        self._timer = self._loop.call_later(SLICE_S, self._arrive) if self._coming else None
