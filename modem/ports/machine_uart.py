"""A UART of a microcontroller that runs MicroPython."""

import errno
import select
import time

from machine import UART  # type: ignore[import-not-found]  # only MicroPython has it

SLICE_MS = 20  # the longest that `idle` is left uncalled
WRITE_TIMEOUT_MS = 5_000
RX_BUFFER_BYTES = 4_096  # what 115200 baud brings in a third of a second, the longest that a flash erase holds us up


class Port:
    """UART number `uart` with its transmit and receive pins. `idle()` is called at least every 20 ms of a wait, if given."""

    def __init__(self, uart: int, tx, rx, baud: int = 115_200, idle=None):
        self._idle = idle
        self._uart = UART(uart, baudrate=baud, tx=tx, rx=rx, rxbuf=RX_BUFFER_BYTES, timeout=0)
        self._poll = select.poll()
        self._poll.register(self._uart, select.POLLIN)

    def set_baud(self, baud: int):
        """Change the speed."""
        self._uart.init(baudrate=baud)

    def read(self) -> bytes:
        """What is there, b"" if nothing; never waits."""
        return self._uart.read() or b""

    def write(self, data):
        """Write all of it. OSError(ETIMEDOUT) if the UART does not take it."""
        data = memoryview(data)
        since = time.ticks_ms()
        while data:
            data = data[self._uart.write(data) or 0 :]  # type: ignore[attr-defined]  # missing in the stub
            if data:
                if time.ticks_diff(time.ticks_ms(), since) > WRITE_TIMEOUT_MS:
                    raise OSError(errno.ETIMEDOUT)
                self._pause(1)

    def wait(self, timeout_ms: int) -> bool:
        """Wait until bytes are there; False when `timeout_ms` have passed."""
        since = time.ticks_ms()
        while not self._uart.any():  # type: ignore[attr-defined]  # missing in the stub
            left_ms = timeout_ms - time.ticks_diff(time.ticks_ms(), since)
            if left_ms <= 0:
                return False
            self._pause(left_ms)
        return True

    def close(self):
        self._uart.deinit()  # type: ignore[attr-defined]  # missing in the stub

    def _pause(self, ms: int):
        """Wait up to `ms`, or until bytes come."""
        self._poll.poll(min(ms, SLICE_MS) if self._idle else ms)
        if self._idle:
            self._idle()
