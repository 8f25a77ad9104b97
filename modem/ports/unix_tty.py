"""Serial port: a tty or pty, with MicroPython's unix port.

The tty is raw and reads do not block (VMIN = VTIME = 0). Waits repeat `poll` until the deadline, because garbage collection in
another thread ends a poll early.
"""

import errno
import select
import termios
import time

if False:  # for mypy alone
    from collections.abc import Callable

    from modem.contracts import Bytes

SLICE_MS = 20  # the longest interval between two calls of `idle`
WRITE_TIMEOUT_MS = 5_000
READ_BYTES = 512
WRITE_BYTES = 128  # a terminal that polls as writable accepts at least this much without blocking

_IFLAG, _OFLAG, _CFLAG, _LFLAG, _ISPEED, _OSPEED, _CC = range(7)  # indices in the list that tcgetattr returns
_VTIME, _VMIN = 5, 6  # indices in _CC; Linux, bits/termios-c_cc.h
_B19200 = 14  # Linux, bits/termios-baud.h; MicroPython's termios leaves it out
_BAUDS = {115_200: termios.B115200, 57_600: termios.B57600, 19_200: _B19200, 9_600: termios.B9600}


class Port:
    """The tty at `path`. The constructor raises OSError if it cannot be opened. Waits call `idle`, if given, every 20 ms."""

    def __init__(self, path: str, idle: "Callable[[], object] | None" = None) -> None:
        self._idle = idle
        self._file = open(path, "r+b")
        termios.setraw(self._file.fileno())
        attributes = termios.tcgetattr(self._file.fileno())
        attributes[_CC][_VMIN] = attributes[_CC][_VTIME] = 0
        termios.tcsetattr(self._file.fileno(), termios.TCSANOW, attributes)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def set_baud(self, baud: int) -> None:
        """Set the speed, bit/s. Raises OSError(EINVAL) if it is not supported."""
        if baud not in _BAUDS:
            raise OSError(errno.EINVAL)
        attributes = termios.tcgetattr(self._file.fileno())
        attributes[_ISPEED] = attributes[_OSPEED] = _BAUDS[baud]
        termios.tcsetattr(self._file.fileno(), termios.TCSANOW, attributes)

    def read(self) -> bytes:
        """Return the received bytes, b"" if none. Does not wait."""
        return self._file.read(READ_BYTES) or b""

    def write(self, data: "Bytes") -> None:
        """Write all of `data`. Raises OSError(ETIMEDOUT) if the line does not accept it within 5 s."""
        data = memoryview(data)
        while data:
            if not self._ready(select.POLLOUT, WRITE_TIMEOUT_MS):
                raise OSError(errno.ETIMEDOUT)
            data = data[self._file.write(data[:WRITE_BYTES]) :]

    def wait(self, timeout_ms: int) -> bool:
        """Wait for received bytes. Return False after `timeout_ms`. Raises OSError(EIO) if the other end closed the line."""
        return self._ready(select.POLLIN, timeout_ms)

    def close(self) -> None:
        """Close the tty."""
        self._file.close()

    def _ready(self, event: int, timeout_ms: int) -> bool:
        self._poll.modify(self._file, event)
        since = time.ticks_ms()
        while True:
            left_ms = max(0, timeout_ms - time.ticks_diff(time.ticks_ms(), since))
            for ready in self._poll.poll(min(left_ms, SLICE_MS) if self._idle else left_ms):
                if ready[1] & event:
                    return True
                raise OSError(errno.EIO)  # POLLHUP: the other end of the pty is closed
            if left_ms == 0:
                return False
            if self._idle:
                self._idle()
