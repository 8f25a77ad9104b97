"""A TCP connection of the modem as a socket: what umqtt.simple and tls want of one, over AT commands.

The modem keeps what it received until it is asked (CIPRXGET=1), and says once that something waits. Every call has a
deadline. The errors are a socket's own, because those who use this know no other:

    None           nothing yet (EAGAIN), only when not blocking
    b"" or 0       the other side has closed, and all it sent has been read
    ETIMEDOUT      a blocking call's deadline has passed, or nothing that was sent was acknowledged for 60 s
    ECONNRESET     written to a connection that the other side has closed
    ECONNABORTED   the network took the data service away (+PDP: DEACT), or the modem restarted
    ECONNREFUSED   the connection could not be opened
    EIO            bytes were lost between the modem and us, so what would follow cannot be trusted
    ENOTCONN       not connected yet, or closed by us

A read that timed out may be tried again. Every other error is final: the connection is dead, only `close` is left.
"""

import errno
import io

from modem import replies
from modem.errors import CommandError, CommandTimeout, ModemError, ModemRestarted

DEFAULT_TIMEOUT_MS = 30_000
LONGEST_TIMEOUT_MS = 600_000  # of a call that was given none; nothing here waits for ever
CONNECT_TIMEOUT_MS = 80_000  # the modem's own is 75 s (manual p.223)
SEND_TIMEOUT_MS = 30_000

# The modem says only once that data wait. That line may be lost, so we also ask without being told, so often.
ASK_AGAIN_MS = 2_000
# The path is dead if nothing that we sent is acknowledged for so long. The modem itself takes 645 s to find out.
DEAD_PATH_MS = 60_000
PATH_CHECK_MS = 10_000
NO_ROOM_PAUSE_MS = 200  # before offering data again to a modem whose own buffer is full

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
    """Connection number `link` of `modem`; startup.open_pdp_context comes first. Blocking, with a 30 s deadline."""

    def __init__(self, modem, clock, link: int = 0):
        self._modem = modem
        self._clock = clock
        self._link = link
        self._timeout_ms = DEFAULT_TIMEOUT_MS
        self._blocking = True
        self._buffer = bytearray(modem.family.RECEIVE_MAX_BYTES)
        self._view = memoryview(self._buffer)
        self._subscriptions: list = []
        self.answered = False  # whether anybody took or refused the last connection: then data pass, there and back
        self._error = errno.ENOTCONN  # why nothing can be read or written; 0 while connected
        self._start_afresh()

    def _start_afresh(self):
        self._start = self._end = 0  # what has come and is not yet read
        self._outcome = None  # the modem's word on the attempt to connect
        self._peer_closed = False
        self._data_wait = False
        self._asked_ms = 0
        self._sent = 0  # bytes since connect, as CIPACK counts them
        self._acknowledged = 0
        self._progress_ms = 0  # when an acknowledgement came last, or something to acknowledge was first sent
        self._path_checked_ms = 0

    # Opening and closing

    def connect(self, host: str, port: int, timeout_ms: int = CONNECT_TIMEOUT_MS):
        """Open the connection. Raises OSError: ECONNREFUSED, ETIMEDOUT, ECONNABORTED, EIO."""
        if '"' in host:
            raise ValueError("not a host name: %r" % host)
        if not self._error:
            raise _error(errno.EALREADY)
        self._start_afresh()
        self.answered = False
        self._error = 0
        self._listen()
        deadline_ms = self._clock.now_ms() + timeout_ms
        outcome = self._attempt(host, port, deadline_ms)
        if outcome == "ALREADY CONNECT":  # left over from before a restart of ours; what it carries is not ours to read
            self._ask("AT+CIPCLOSE=%d,1" % self._link)
            outcome = self._attempt(host, port, deadline_ms)
        if outcome != "CONNECT OK":
            self._fail(errno.ECONNREFUSED)
        self._asked_ms = self._clock.now_ms()

    def _attempt(self, host: str, port: int, deadline_ms: int) -> str:
        self._outcome = None
        self._ask('AT+CIPSTART=%d,"TCP","%s",%d' % (self._link, host, port))
        while self._outcome is None:
            if self._error or self._peer_closed:
                self._fail(self._error or errno.ECONNREFUSED)
            left_ms = deadline_ms - self._clock.now_ms()
            if left_ms <= 0:
                self._fail(errno.ETIMEDOUT)
            self._modem.wait(left_ms)
        self.answered = True
        return self._outcome

    def close(self):
        """Close the connection, quickly and without raising. Harmless when there is none."""
        for subscription in self._subscriptions:
            self._modem.unsubscribe(subscription)
        self._subscriptions = []
        gone = self._peer_closed or self._error in (errno.ENOTCONN, errno.ECONNABORTED)
        self._error = errno.ENOTCONN
        if gone:
            return
        try:
            self._modem.command("AT+CIPCLOSE=%d,1" % self._link)
        except (ModemError, OSError):
            pass  # counted by the modem; the next connect finds ALREADY CONNECT if it is still open

    def __del__(self):
        """Nothing: CPython's IOBase would close, that is talk to the modem, at any moment."""

    # Reading

    def readinto(self, buffer):
        """Read at least one byte into `buffer`; return the number, 0 for end of file, None for nothing yet."""
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

    def read(self, size: int):
        """Read `size` bytes; fewer at end of file, and fewer or None when not blocking."""
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

    def _fetch(self):
        """Ask the modem for what it has received."""
        self._data_wait = False  # before asking: the modem may announce the next bytes while it answers
        self._asked_ms = self._clock.now_ms()
        question = "AT+CIPRXGET=2,%d,%d" % (self._link, len(self._buffer))
        try:
            text, count = self._modem.receive_payload(question, "+CIPRXGET: 2,%d," % self._link, self._buffer)
            received = replies.rxget(text)
        except CommandError:  # the connection is gone, and what it had brought with it
            self._peer_closed = True
            return
        except ModemError as error:
            self._fail(_errno_of(error))
        if count != received.got:
            self._fail(errno.EIO)
        self._start = 0
        self._end = count
        if received.left:
            self._data_wait = True

    # Writing

    def write(self, buffer, size=None) -> int | None:
        """Write all of `buffer`, or its first `size` bytes; return how many the modem took.

        Fewer than all only when the modem's own buffer stays full until the deadline, or when not blocking; None for
        nothing at all, only when not blocking.
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
            taken = self._send(view[written : written + self._modem.family.SEND_MAX_BYTES])
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

    def _send(self, part) -> int:
        """Give one piece to the modem; return how much of it was taken."""
        now_ms = self._clock.now_ms()
        if self._acknowledged == self._sent:
            self._progress_ms = self._path_checked_ms = now_ms
        self._check_path(now_ms)
        try:
            final = self._modem.send_payload("AT+CIPSEND=%d,%d" % (self._link, len(part)), part, SEND_TIMEOUT_MS)
            link, taken = replies.data_accept(final)
        except CommandTimeout:
            self._fail(errno.ETIMEDOUT)
        except CommandError:
            self._fail(errno.ECONNRESET if self._peer_closed else errno.EIO)
        except ModemError as error:
            self._fail(_errno_of(error))
        self._sent += taken
        # A short count is either true, or a digit of it was lost. The modem's own total tells.
        if link != self._link or (taken != len(part) and self._counts()[0] != self._sent):
            self._fail(errno.EIO)
        return taken

    def _check_path(self, now_ms: int):
        """Fail if nothing of what we sent was acknowledged for DEAD_PATH_MS. Asks the modem every PATH_CHECK_MS at most."""
        if self._acknowledged == self._sent or now_ms - self._path_checked_ms < PATH_CHECK_MS:
            return
        self._path_checked_ms = now_ms
        acknowledged = self._counts()[1]
        if acknowledged != self._acknowledged:
            self._acknowledged = acknowledged
            self._progress_ms = now_ms
        elif now_ms - self._progress_ms >= DEAD_PATH_MS:
            self._fail(errno.ETIMEDOUT)

    def _counts(self) -> tuple:
        """(sent, acknowledged) since connect, as the modem counts."""
        try:
            counts = self._modem.query("AT+CIPACK=%d" % self._link, replies.cipack)
        except CommandError:
            self._fail(errno.ECONNRESET)
        except ModemError as error:
            self._fail(_errno_of(error))
        return counts[:2]

    # The rest of a socket

    def setblocking(self, flag: bool):
        """Blocking still has a deadline: that of the last `settimeout`, or DEFAULT_TIMEOUT_MS."""
        self._blocking = bool(flag)

    def settimeout(self, seconds):
        """Deadline of each blocking call. 0 is not blocking; None is LONGEST_TIMEOUT_MS."""
        self._blocking = seconds != 0
        if seconds != 0:
            self._timeout_ms = LONGEST_TIMEOUT_MS if seconds is None else int(seconds * 1000)

    def ioctl(self, request: int, argument: int) -> int:
        """What MicroPython's stream protocol asks: readiness for `select`, and close. Never waits."""
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

    # What the modem says of this connection

    def _listen(self):
        subscribe = self._modem.subscribe
        self._subscriptions = [
            subscribe("%d," % self._link, self._on_link),
            subscribe("+CIPRXGET: 1,%d" % self._link, self._on_data),
            subscribe("+PDP: DEACT", self._on_context_lost),
            subscribe(self._modem.family.BOOTED, self._on_context_lost),
        ]

    def _on_link(self, line: str):
        word = line[2:].strip()
        if word == "CLOSED":
            self._peer_closed = True
            self._data_wait = True  # what came before may still wait, announced or not
        else:
            self._outcome = word

    def _on_data(self, line: str):
        self._data_wait = True

    def _on_context_lost(self, line: str):
        self._error = errno.ECONNABORTED

    def _ask(self, text: str):
        try:
            self._modem.command(text)
        except CommandError:
            self._fail(errno.ECONNREFUSED)
        except ModemError as error:
            self._fail(_errno_of(error))

    def _fail(self, code: int):
        self._error = code
        raise _error(code)


def _errno_of(error: ModemError) -> int:
    return errno.ECONNABORTED if isinstance(error, ModemRestarted) else errno.EIO


def _error(code: int) -> OSError:
    return OSError(code, _WORDS[code])
