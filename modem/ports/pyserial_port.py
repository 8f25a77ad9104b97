"""Serial port: pyserial, with CPython.

At the console of a charge point, DTR and RTS of a USB bridge may reset the processor: most boards with an ESP32 hold it in
reset while RTS is on and DTR is off. Both are therefore turned off before anything is sent. Linux and macOS turn both on when
a device is opened that no program has open, which cannot be prevented. Both are then turned off in one step, so that they
never differ. On Windows they are off from the start.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import serial  # type: ignore[import-untyped]  # pyserial comes without types

SLICE_S = 0.02  # the longest interval between two calls of `idle`, and the longest delay of a wait
WRITE_TIMEOUT_S = 5


@contextmanager
def both_off(path: str) -> Iterator[None]:
    """Turn DTR and RTS off together. They stay off for a port that is opened within this context."""
    opened = None
    if os.name == "posix":
        import fcntl
        import struct
        import termios

        with suppress(OSError):  # opening the port itself reports the error; a pseudo-terminal has no DTR and RTS
            opened = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            fcntl.ioctl(opened, termios.TIOCMBIC, struct.pack("I", termios.TIOCM_DTR | termios.TIOCM_RTS))
    try:
        yield
    finally:
        if opened is not None:
            os.close(opened)


class Port:
    """The serial port at `path`, opened exclusively. Waits call `idle`, if given, every 20 ms.

    The constructor raises OSError (serial.SerialException) if the port is missing, in use or not permitted.
    """

    def __init__(self, path: str, idle: Callable[[], object] | None = None, baud: int = 115_200) -> None:
        self._idle = idle
        # The timeout is constant, because each change would reconfigure the port.
        self._serial = serial.Serial(None, baud, timeout=SLICE_S, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
        self._serial.dtr = self._serial.rts = False
        self._serial.port = path
        with both_off(path):
            self._serial.open()
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
            raise OSError(errno.ETIMEDOUT, "the serial line accepts no data") from error

    def wait(self, timeout_ms: int) -> bool:
        """Wait for received bytes. Return False after `timeout_ms`."""
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
