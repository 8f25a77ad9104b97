"""Serial port: pyserial, with CPython."""

import errno
import time
from collections.abc import Callable

import serial  # type: ignore[import-untyped]  # pyserial comes without types

SLICE_S = 0.02  # the longest interval between two calls of `idle`, and the longest delay of a wait
WRITE_TIMEOUT_S = 5


class Port:
    """Opens `path` exclusively; OSError (serial.SerialException) if it is missing, in use or not permitted."""

    def __init__(self, path: str, idle: Callable[[], object] | None = None, baud: int = 115_200) -> None:
        self._idle = idle
        # The time-out is constant: each change would reconfigure the port.
        self._serial = serial.Serial(path, baud, timeout=SLICE_S, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
        self._first = b""  # the byte that ended a wait; pyserial can wait only by reading

    def set_baud(self, baud: int) -> None:
        """Set the speed, bit/s."""
        self._serial.baudrate = baud

    def read(self) -> bytes:
        """Return the received bytes, b"" if none. Does not wait."""
        first, self._first = self._first, b""
        return first + bytes(self._serial.read(self._serial.in_waiting))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of `data`. Raises OSError(ETIMEDOUT) if the line does not accept it within 5 s."""
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException as error:
            raise OSError(errno.ETIMEDOUT, "the serial line takes no bytes") from error

    def wait(self, timeout_ms: int) -> bool:
        """Wait for received bytes; False after `timeout_ms`."""
        until_s = time.monotonic() + timeout_ms / 1000
        while not self._first and not self._serial.in_waiting:
            if time.monotonic() >= until_s:
                return False
            self._first = bytes(self._serial.read(1))
            if self._idle:
                self._idle()
        return True

    def close(self) -> None:
        """Close the port."""
        self._serial.close()
