"""A serial line of a computer that runs CPython, through pyserial."""

import errno
import time
from collections.abc import Callable

import serial  # type: ignore[import-untyped]  # pyserial comes without types

SLICE_MS = 20  # the longest that `idle` is left uncalled
WRITE_TIMEOUT_S = 5


class Port:
    """Opens `path` for itself alone: OSError (serial.SerialException) if it is not there, busy or forbidden."""

    def __init__(self, path: str, idle: Callable[[], object] | None = None, baud: int = 115_200) -> None:
        self._idle = idle
        self._serial = serial.Serial(path, baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
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
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return False
            self._serial.timeout = min(left_s, SLICE_MS / 1000) if self._idle else left_s
            self._first = bytes(self._serial.read(1))
            self._serial.timeout = 0
            if self._idle:
                self._idle()
        return True

    def close(self) -> None:
        """Give the line back."""
        self._serial.close()
