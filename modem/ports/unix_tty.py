"""A serial line of a Unix machine, or a pty, for MicroPython's unix port.

The file is raw and non-waiting (VMIN = VTIME = 0); all waiting is done by poll, in slices, because a garbage collection
of another thread ends a poll early.
"""

import errno
import select
import termios
import time

SLICE_MS = 20  # the longest that `idle` is left uncalled
WRITE_TIMEOUT_MS = 5_000
READ_BYTES = 512
WRITE_BYTES = 128  # a terminal that polls as writable takes at least this much without blocking

_IFLAG, _OFLAG, _CFLAG, _LFLAG, _ISPEED, _OSPEED, _CC = range(7)  # what tcgetattr returns
_VTIME, _VMIN = 5, 6  # places in _CC; Linux, bits/termios-c_cc.h
_B19200 = 14  # Linux, bits/termios-baud.h; MicroPython's termios leaves it out
_BAUDS = {115_200: termios.B115200, 57_600: termios.B57600, 19_200: _B19200, 9_600: termios.B9600}


class Port:
    """`idle()` is called at least every 20 ms of a wait, where given."""

    def __init__(self, path: str, idle=None):
        self._idle = idle
        self._file = open(path, "r+b")
        termios.setraw(self._file.fileno())
        attributes = termios.tcgetattr(self._file.fileno())
        attributes[_CC][_VMIN] = attributes[_CC][_VTIME] = 0
        termios.tcsetattr(self._file.fileno(), termios.TCSANOW, attributes)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def set_baud(self, baud: int):
        """Change the speed. Raises OSError for one that this runtime does not offer."""
        if baud not in _BAUDS:
            raise OSError(errno.EINVAL)
        attributes = termios.tcgetattr(self._file.fileno())
        attributes[_ISPEED] = attributes[_OSPEED] = _BAUDS[baud]
        termios.tcsetattr(self._file.fileno(), termios.TCSANOW, attributes)

    def read(self) -> bytes:
        """What is there, b"" if nothing; never waits."""
        return self._file.read(READ_BYTES) or b""

    def write(self, data):
        """Write all of it. OSError(ETIMEDOUT) if the line does not take it."""
        data = memoryview(data)
        while data:
            if not self._ready(select.POLLOUT, WRITE_TIMEOUT_MS):
                raise OSError(errno.ETIMEDOUT)
            data = data[self._file.write(data[:WRITE_BYTES]) :]

    def wait(self, timeout_ms: int) -> bool:
        """Wait until bytes are there; False when `timeout_ms` have passed. OSError when the line is gone."""
        return self._ready(select.POLLIN, timeout_ms)

    def close(self):
        self._file.close()

    def _ready(self, event: int, timeout_ms: int) -> bool:
        self._poll.modify(self._file, event)
        since = time.ticks_ms()
        while True:
            left_ms = max(0, timeout_ms - time.ticks_diff(time.ticks_ms(), since))
            for ready in self._poll.poll(min(left_ms, SLICE_MS) if self._idle else left_ms):
                if ready[1] & event:
                    return True
                raise OSError(errno.EIO)  # POLLHUP: whoever held the other end of the pty is gone
            if left_ms == 0:
                return False
            if self._idle:
                self._idle()
