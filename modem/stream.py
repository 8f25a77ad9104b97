"""A TCP connection of the modem with the socket interface that umqtt.simple and tls use.

The modem buffers received data until it is read, and announces it once. The driver of the modem's family (modem/families)
has the commands. Every call has a deadline. Errors are OSError with the codes of a socket:

    None           no data yet (EAGAIN), only if not blocking
    b"" or 0       end of file: closed by the peer, and all data have been read
    ETIMEDOUT      the deadline of a blocking call, no sent byte was acknowledged for 60 s, or the modem could not send
    ECONNRESET     a write to a connection that the peer has closed
    ECONNABORTED   PDP context deactivated by the network, or the modem restarted
    ECONNREFUSED   the connection could not be opened
    EIO            bytes were lost between modem and processor: the rest of the stream is not reliable
    ENOTCONN       not connected yet, or closed locally

A read that timed out may be repeated. Every other error is final: only `close` is allowed after it.
"""

import errno
import io

from modem.errors import CommandError, CommandTimeout, ModemError, ModemRestarted
from modem.families import driver
from modem.traffic import Traffic

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import NoReturn

    from modem.client import Modem
    from modem.contracts import Bytes, Clock, Subscription

DEFAULT_TIMEOUT_MS = 30_000
LONGEST_TIMEOUT_MS = 600_000  # used if the caller sets no timeout, because every wait is bounded
CONNECT_TIMEOUT_MS = 80_000  # the modems' own is 75 s
SEND_TIMEOUT_MS = 30_000
CLOSED_SEND_MS = 2_000  # wait for the result of a send during which the connection ended; some modems give none
SEND_BYTES = 1_400  # in one command: less than 1460, the smallest limit of all families
RECEIVE_BYTES = 1_460

# The modem announces data only once. The line may be lost, so the stream also polls at this interval.
ASK_AGAIN_MS = 2_000
# The path is dead if no sent byte is acknowledged for this long. A modem itself needs up to 645 s to detect it.
DEAD_PATH_MS = 60_000
PATH_CHECK_MS = 10_000
NO_ROOM_PAUSE_MS = 200  # before sending again to a modem whose buffer is full

_POLL = 3  # MP_STREAM_POLL, MicroPython's py/stream.h
_CLOSE = 4  # MP_STREAM_CLOSE
_READABLE, _WRITABLE, _FAILED, _HUNG_UP = 1, 4, 8, 16  # MP_STREAM_POLL_RD and so on


_WORDS = {
    errno.ETIMEDOUT: "timed out",
    errno.ECONNRESET: "closed by the other side",
    errno.ECONNABORTED: "data service lost",
    errno.ECONNREFUSED: "connection refused",
    errno.EIO: "bytes lost between modem and processor",
    errno.ENOTCONN: "not connected",
    errno.EALREADY: "already connected",
}


class Stream(io.IOBase):
    """Connection number `link` of `modem`, blocking with a deadline of 30 s. Requires startup.open_pdp_context.

    `traffic` counts the bytes over the air of all connections of this Stream.
    """

    def __init__(self, modem: "Modem", clock: "Clock", link: int = 0) -> None:
        self._modem = modem
        self._clock = clock
        self._link = link
        self._timeout_ms = DEFAULT_TIMEOUT_MS
        self._blocking = True
        self._sending = False
        self._buffer = bytearray(RECEIVE_BYTES)
        self._view = memoryview(self._buffer)
        self._subscription: Subscription | None = None
        self.traffic = Traffic()
        self.answered = False  # the last attempt was accepted or refused, so the network carries data both ways
        self._error = errno.ENOTCONN  # errno of reading and writing; 0 while connected
        self._reset()

    def _reset(self) -> None:
        self._start = self._end = 0  # received and not yet read
        self._outcome: str | None = None  # result of the attempt to connect; None while it is pending
        self._peer_closed = False
        self._data_wait = False
        self._asked_ms = 0
        self._sent = 0  # bytes since connect
        self._acknowledged = 0
        self._progress_ms = 0  # time of the last acknowledgement, or of the first byte not acknowledged
        self._path_checked_ms = 0

    # Opening and closing

    def connect(self, host: str, port: int, timeout_ms: int = CONNECT_TIMEOUT_MS) -> None:
        """Open the connection. Raises OSError (ECONNREFUSED, ETIMEDOUT, ECONNABORTED, EIO, EALREADY); ValueError."""
        if '"' in host:
            raise ValueError("not a host name: %r" % host)
        if not self._error:
            raise _error(errno.EALREADY)
        self._reset()
        self.answered = False
        self._error = 0
        self.traffic.opened()
        self._subscription = self._modem.subscribe("", self._on_urc)
        deadline_ms = self._clock.now_ms() + timeout_ms
        outcome = self._attempt(host, port, deadline_ms)
        if outcome == driver.LEFT_OPEN:  # its data belong to another connection
            self._ask(self._modem.family.close)
            outcome = self._attempt(host, port, deadline_ms)
        if outcome != driver.OPENED:
            self._fail(errno.ECONNREFUSED)
        self._asked_ms = self._clock.now_ms()

    def _attempt(self, host: str, port: int, deadline_ms: int) -> str:
        self._outcome = None
        self._ask(self._modem.family.connect, host, port)
        while self._outcome is None:
            if self._error or self._peer_closed:
                self._fail(self._error or errno.ECONNREFUSED)
            left_ms = deadline_ms - self._clock.now_ms()
            if left_ms <= 0:
                self._fail(errno.ETIMEDOUT)
            self._modem.wait(left_ms)
        self.answered = self._outcome != driver.UNREACHED
        return self._outcome

    def close(self) -> None:
        """Close the connection immediately. Raises nothing, and does nothing if not connected."""
        if self._subscription:
            self._modem.unsubscribe(self._subscription)
            self._subscription = None
            self.traffic.closed()
        gone = self._peer_closed or self._error in (errno.ENOTCONN, errno.ECONNABORTED)
        self._error = errno.ENOTCONN
        if gone:
            return
        try:
            self._modem.family.close(self._modem, self._link)
        except (ModemError, OSError):
            pass  # counted by the client; if the link is still open, the next attempt to connect ends with LEFT_OPEN

    def __del__(self) -> None:
        """Do nothing: the finaliser of CPython's IOBase would call close(), which sends a command."""

    # Reading

    def readinto(self, buffer: bytearray | memoryview) -> int | None:
        """Read at least one byte into `buffer`. Return the count; 0 at end of file; None if no data and not blocking.

        Raises OSError.
        """
        if not buffer:
            return 0
        deadline_ms = self._clock.now_ms() + self._timeout_ms
        while self._start == self._end:
            self._modem.poll()
            if self._error:
                raise _error(self._error)
            now_ms = self._clock.now_ms()
            if self._data_wait or now_ms - self._asked_ms >= ASK_AGAIN_MS:
                self._fetch()
                continue
            if self._peer_closed:
                return 0
            self._check_path(now_ms)
            if not self._blocking:
                return None
            if now_ms >= deadline_ms:
                raise _error(errno.ETIMEDOUT)
            self._modem.wait(min(deadline_ms - now_ms, self._asked_ms + ASK_AGAIN_MS - now_ms))
        count = min(len(buffer), self._end - self._start)
        buffer[:count] = self._view[self._start : self._start + count]
        self._start += count
        return count

    def read(self, size: int) -> bytes | None:
        """Return `size` bytes; fewer at end of file; fewer, or None for no data, if not blocking. Raises OSError."""
        buffer = bytearray(size)
        view = memoryview(buffer)
        got = 0
        while got < size:
            count = self.readinto(view[got:])
            if count is None and got == 0:
                return None
            if not count:
                break
            got += count
        return bytes(view[:got])

    def _fetch(self) -> None:
        """Read the modem's receive buffer."""
        self._data_wait = False  # before the command: the modem may announce more data while it answers
        self._asked_ms = self._clock.now_ms()
        try:
            count, left = self._modem.family.receive(self._modem, self._link, self._buffer)
        except CommandError:  # the connection is closed, and its unread data are lost
            self._peer_closed = True
            return
        except ModemError as error:
            self._fail(_errno_of(error))
        self.traffic.received(count)
        self._start = 0
        self._end = count
        if left:
            self._data_wait = True

    # Writing

    def write(self, buffer: "Bytes", size: int | None = None) -> int | None:
        """Write `buffer`, or its first `size` bytes; return the number of bytes that the modem accepted.

        The number is smaller only if the modem's buffer stays full until the deadline, or if not blocking. Return None if not
        blocking and no byte was accepted. Raises OSError.
        """
        view = memoryview(buffer)
        if size is not None:
            view = view[:size]
        deadline_ms = self._clock.now_ms() + self._timeout_ms
        written = 0
        while written < len(view):
            self._modem.poll()
            if self._peer_closed and not self._error:
                self._error = errno.ECONNRESET
            if self._error:
                raise _error(self._error)
            taken = self._send(view[written : written + SEND_BYTES])
            written += taken
            if not taken:
                if self._clock.now_ms() >= deadline_ms and not written:
                    self._fail(errno.ETIMEDOUT)
                if self._clock.now_ms() >= deadline_ms or not self._blocking:
                    break
                self._modem.wait(NO_ROOM_PAUSE_MS)
        if not written and len(view):
            return None
        return written

    def _send(self, part: memoryview) -> int:
        """Send one segment; return the number of bytes that the modem accepted."""
        now_ms = self._clock.now_ms()
        if self._acknowledged == self._sent:
            self._progress_ms = self._path_checked_ms = now_ms
        self._check_path(now_ms)
        self._sending = True
        try:
            taken = self._modem.family.send(self._modem, self._link, part, SEND_TIMEOUT_MS)
        except CommandTimeout:
            self._fail(errno.ECONNRESET if self._peer_closed else errno.ETIMEDOUT)
        except CommandError as error:
            not_taken = errno.ETIMEDOUT if error.final.endswith(driver.SEND_FAIL) else errno.EIO
            self._fail(errno.ECONNRESET if self._peer_closed else not_taken)
        except ModemError as error:
            self._fail(_errno_of(error))
        finally:
            self._sending = False
        self._sent += taken
        self.traffic.sent(taken)
        # A smaller count is either genuine, or one of its digits was lost. The modem's own total decides.
        if taken != len(part) and self._counts()[0] != self._sent:
            self._fail(errno.EIO)
        return taken

    def _check_path(self, now_ms: int) -> None:
        """Fail if no sent byte was acknowledged for DEAD_PATH_MS. Queries the modem every PATH_CHECK_MS at most."""
        if self._acknowledged == self._sent or now_ms - self._path_checked_ms < PATH_CHECK_MS:
            return
        self._path_checked_ms = now_ms
        acknowledged = self._counts()[1]
        if acknowledged != self._acknowledged:
            self._acknowledged = acknowledged
            self._progress_ms = now_ms
        elif now_ms - self._progress_ms >= DEAD_PATH_MS:
            self._fail(errno.ETIMEDOUT)

    def _counts(self) -> tuple[int, ...]:
        """Return (sent, acknowledged) bytes since connect, as counted by the modem."""
        try:
            return self._modem.family.sent(self._modem, self._link)
        except CommandError:
            self._fail(errno.ECONNRESET)
        except ModemError as error:
            self._fail(_errno_of(error))

    # Other methods of a socket

    def setblocking(self, flag: bool) -> None:
        """Set the mode. Blocking calls keep the deadline of the last `settimeout`, or DEFAULT_TIMEOUT_MS."""
        self._blocking = bool(flag)

    def settimeout(self, seconds: float | None) -> None:
        """Set the deadline of blocking calls, seconds. 0: not blocking; None: LONGEST_TIMEOUT_MS."""
        self._blocking = seconds != 0
        if seconds != 0:
            self._timeout_ms = LONGEST_TIMEOUT_MS if seconds is None else int(seconds * 1000)

    def ioctl(self, request: int, argument: int) -> int:
        """Implement MicroPython's stream protocol: readiness for `select`, and close. Does not wait."""
        if request == _CLOSE:
            self.close()
            return 0
        if request != _POLL:
            return -errno.EINVAL
        self._modem.poll()
        ready = 0
        if self._start < self._end or self._data_wait or self._peer_closed:
            ready |= _READABLE
        if self._error:
            ready |= _READABLE | _FAILED
        elif self._peer_closed:
            ready |= _HUNG_UP
        else:
            ready |= _WRITABLE
        return ready & (argument | _FAILED | _HUNG_UP)

    # URCs of this connection

    def _on_urc(self, line: str) -> None:
        event = self._modem.family.link_event(line)
        if event is None or event[1] not in ("", "%d" % self._link):
            return
        what = event[0]
        if what == driver.DATA:
            self._data_wait = True
        elif what == driver.CLOSED:
            self._peer_closed = True
            self._data_wait = True  # earlier data may be pending, announced or not
            if self._sending:
                self._modem.hasten(CLOSED_SEND_MS)
        elif what == driver.CONTEXT_LOST:
            self._error = errno.ECONNABORTED
        else:
            self._outcome = what

    def _ask(self, hook: "Callable[..., None]", *arguments: str | int) -> None:
        try:
            hook(self._modem, self._link, *arguments)
        except CommandError:
            if self._outcome is None:  # otherwise the line before the error was more specific
                self._fail(errno.ECONNREFUSED)
        except ModemError as error:
            self._fail(_errno_of(error))

    def _fail(self, code: int) -> "NoReturn":
        self._error = code
        raise _error(code)


def _errno_of(error: ModemError) -> int:
    return errno.ECONNABORTED if isinstance(error, ModemRestarted) else errno.EIO


def _error(code: int) -> OSError:
    return OSError(code, _WORDS[code])
