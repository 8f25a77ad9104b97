"""Fetches one file, a manifest or an image, in pieces over a slow network. Pure: values and now_ms in, requests out.

A request (`question`) asks for a window of pieces from the current end of the file. Pieces are accepted only in order. They
are appended to the file, so after any interruption the next request begins at its end. An unanswered window is requested
again, at increasing intervals. After a complete window, the next one follows after a pause. The faster a window arrived, the
larger is the next one: each request costs 250 bytes of traffic, but a message that is sent after a window, such as a command
of the owner, is delayed by it.
"""

if False:  # for mypy alone
    from collections.abc import Callable

    Matches = Callable[[int, bytes], bool]

MANIFEST, IMAGE = 0, 1  # `f` of a question
PIECE_BYTES = 1024
WINDOW = 8  # pieces in the first window; poor GPRS (500 bytes/s) transfers them within 20 s
WINDOW_MAX = 32
WINDOW_MS = 10000  # target duration of a window, from its request to its last piece
HEAD_BYTES = 12  # of a message: hash of the manifest (8), file, offset (3)
PACE_MS = 30000  # pause between two windows, for other messages
ANSWER_MS = 30000  # this long after the last piece, or the request, the rest of a window counts as lost
AGAIN_FIRST_MS, AGAIN_LAST_MS = 30000, 3600000
GENEROSITY = 3  # after this many times the file's size was received, only one window an hour is requested
BAD_MAX = 8  # consecutive pieces that do not match the manifest; then the file is not the announced one


class Transfer:
    """The state of a transfer. `at`: length of the file so far; `total`: its final length; `bad`: wrong pieces since the last
    good one; `asked`: count of requests.
    """

    def __init__(self, file: int, total: int, at: int, pace_ms: int, matches: "Matches") -> None:
        """`file`: MANIFEST or IMAGE; `pace_ms`: pause between windows; `matches(number, piece)` checks a piece."""
        self.file = file
        self.at = at
        self.bad = self.asked = 0
        self.total = total
        self._pace_ms = pace_ms
        self._matches = matches
        self._came = 0  # bytes of all received pieces
        self._until = at  # end of the requested window
        self._window = WINDOW
        self._asked_ms = 0
        self._failures = 0  # consecutive unanswered windows
        self._due_ms: int | None = None  # time of the next request; None: at once

    def is_done(self) -> bool:
        return self.at >= self.total

    def is_wrong(self) -> bool:
        """Return whether the received pieces are not those of the announced file."""
        return self.bad >= BAD_MAX

    def awaits(self) -> bool:
        """Return whether requested pieces are still missing."""
        return self.at < self._until

    def question(self, now_ms: int) -> "tuple[int, int] | None":
        """Return (offset, bytes) to request now; None if no request is due."""
        if self.is_done() or (self._due_ms is not None and now_ms < self._due_ms):
            return None
        if self.awaits():  # the last window, or the rest of it, is missing
            self._failures += 1
            self._window = WINDOW
        wanted = min(self._window * PIECE_BYTES, self.total - self.at)
        self._until = self.at + wanted
        self._asked_ms = now_ms
        self._due_ms = now_ms + self._patience_ms()
        self.asked += 1
        return self.at, wanted

    def put_off(self, now_ms: int) -> None:
        """Delay the next request by AGAIN_LAST_MS, because the broker refused this one."""
        self._until, self._due_ms = self.at, now_ms + AGAIN_LAST_MS

    def piece(self, now_ms: int, file: int, offset: int, content: bytes) -> bool:
        """Process a received piece; return whether it is to be appended to the file. Any other piece is ignored."""
        if file != self.file or offset != self.at or not self.awaits():
            return False
        self._came += len(content)
        if len(content) != min(PIECE_BYTES, self.total - self.at) or not self._matches(offset // PIECE_BYTES, content):
            self.bad += 1
            return False
        self.bad = self._failures = 0
        self.at += len(content)
        if self.awaits():
            self._due_ms = now_ms + ANSWER_MS
        else:
            self._due_ms = now_ms + self._pause_ms()
            self._fit_window(now_ms - self._asked_ms)
        return True

    def _fit_window(self, took_ms: int) -> None:
        fits = self._window * WINDOW_MS // max(took_ms, 1)
        self._window = max(WINDOW, min(fits, 2 * self._window, WINDOW_MAX))

    def _patience_ms(self) -> int:
        """Return the time after which an unanswered request is repeated."""
        return max(ANSWER_MS, self._spent_ms(), min(AGAIN_LAST_MS, AGAIN_FIRST_MS << min(self._failures, 8)))

    def _pause_ms(self) -> int:
        return max(self._pace_ms, self._spent_ms())

    def _spent_ms(self) -> int:
        return AGAIN_LAST_MS if self._came > GENEROSITY * self.total + WINDOW * PIECE_BYTES else 0


def parts(message: bytes) -> "tuple[bytes, int, int, bytes] | None":
    """Return (hash of the manifest, file, offset, bytes) of a message with a piece; None if it is not valid."""
    if not HEAD_BYTES < len(message) <= HEAD_BYTES + PIECE_BYTES:
        return None
    return message[:8], message[8], int.from_bytes(message[9:HEAD_BYTES], "big"), message[HEAD_BYTES:]
