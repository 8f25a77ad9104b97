"""Serial port: a UART of a microcontroller with MicroPython."""

import errno
import select
import time

from machine import UART

if False:  # for mypy alone
    from collections.abc import Callable

    from machine import Pin

    from modem.contracts import Bytes

SLICE_MS = 20  # the longest interval between two calls of `idle`
WRITE_TIMEOUT_MS = 5_000
RX_BUFFER_BYTES = (
    4_096  # a third of a second at 115,200 baud: the longest time for which a flash erase blocks the processor
)


class Port:
    """UART number `uart` with its transmit and receive pins. Waits call `idle`, if given, at least every 20 ms."""

    def __init__(
        self,
        uart: int,
        tx: "Pin | int",
        rx: "Pin | int",
        baud: int = 115_200,
        idle: "Callable[[], object] | None" = None,
    ) -> None:
        self._idle = idle
        self._uart = UART(uart, baudrate=baud, tx=tx, rx=rx, rxbuf=RX_BUFFER_BYTES, timeout=0)
        self._poll = select.poll()
        self._poll.register(self._uart, select.POLLIN)

    def set_baud(self, baud: int) -> None:
        """Set the speed, bit/s."""
        self._uart.init(baudrate=baud)

    def read(self) -> bytes:
        """Return the received bytes, b"" if none. Does not wait."""
        if not self._uart.any():  # type: ignore[attr-defined]  # missing in the stub
            return b""  # UART.read() allocates 256 bytes even if there is nothing to read
        return self._uart.read() or b""

    def write(self, data: "Bytes") -> None:
        """Write all of `data`. Raises OSError(ETIMEDOUT) if the UART does not accept it within 5 s."""
        data = memoryview(data)
        since = time.ticks_ms()
        while data:
            data = data[self._uart.write(data) or 0 :]  # type: ignore[attr-defined]  # missing in the stub
            if data:
                if time.ticks_diff(time.ticks_ms(), since) > WRITE_TIMEOUT_MS:
                    raise OSError(errno.ETIMEDOUT)
                self._pause(1)

    def wait(self, timeout_ms: int) -> bool:
        """Wait for received bytes. Return False after `timeout_ms`."""
        since = time.ticks_ms()
        while not self._uart.any():  # type: ignore[attr-defined]  # missing in the stub
            left_ms = timeout_ms - time.ticks_diff(time.ticks_ms(), since)
            if left_ms <= 0:
                return False
            self._pause(left_ms)
        return True

    def close(self) -> None:
        """Release the UART."""
        self._uart.deinit()  # type: ignore[attr-defined]  # missing in the stub

    def _pause(self, ms: int) -> None:
        """Wait up to `ms`, or until bytes are received."""
        self._poll.poll(min(ms, SLICE_MS) if self._idle else ms)
        if self._idle:
            self._idle()
