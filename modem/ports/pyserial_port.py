"""A serial line of a computer that runs CPython, through pyserial."""

import errno
import time
from collections.abc import Callable

import serial  # type: ignore[import-untyped]  # pyserial comes without types

SLICE_S = 0.02  # the longest that `idle` is left uncalled, and that a wait may be late
WRITE_TIMEOUT_S = 5


class Port:
    """Opens `path` for itself alone: OSError (serial.SerialException) if it is not there, busy or forbidden."""

    def __init__(self, path: str, idle: Callable[[], object] | None = None, baud: int = 115_200) -> None:
        self._idle = idle
        # The time-out stays as it is: each change of it would set up the whole port anew.
        self._serial = serial.Serial(path, baud, timeout=SLICE_S, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
        self._first = b""  # the byte that ended a wait; pyserial can wait only by reading

    def set_baud(self, baud: int) -> None:
        """Change the speed."""
        self._serial.baudrate = baud

    def read(self) -> bytes:
        """What is there, b"" if nothing; never waits."""
        first, self._first = self._first, b""
        return first + bytes(self._serial.read(self._serial.in_waiting))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of it. OSError(ETIMEDOUT) if the line does not take it."""
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException as error:
            raise OSError(errno.ETIMEDOUT, "the serial line takes no bytes") from error

    def wait(self, timeout_ms: int) -> bool:
        """Wait until bytes are there; False when `timeout_ms` have passed."""
        until_s = time.monotonic() + timeout_ms / 1000
        while not self._first and not self._serial.in_waiting:
            if time.monotonic() >= until_s:
                return False
            self._first = bytes(self._serial.read(1))
            if self._idle:
                self._idle()
        return True

    def close(self) -> None:
        """Give the line back."""
        self._serial.close()
