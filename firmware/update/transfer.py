"""Fetches one file, a manifest or an image, in pieces over a slow network. Pure: values and now_ms in, questions out.

A question asks for a window of pieces from where the file ends; they come in order, or not at all. What came is in the
file: after any cut the next question begins at its end. A window that stays unanswered is asked for again, ever more seldom;
one that is whole is followed by the next after a pause. The quicker it came, the larger is the next: each question costs
250 bytes on the air, but what is sent after a window, such as a command of the owner, comes after it.
"""

if False:  # for mypy alone
    from collections.abc import Callable

    Matches = Callable[[int, bytes], bool]

MANIFEST, IMAGE = 0, 1  # `f` of a question
PIECE_BYTES = 1024
WINDOW = 8  # pieces, at first: a bad GPRS of 500 bytes a second brings them within 20 s
WINDOW_MAX = 32
WINDOW_MS = 10000  # how long a window may take, from its question to its last piece
HEAD_BYTES = 12  # of a message: hash of the manifest (8), file, offset (3)
PACE_MS = 30000  # between two windows: the link is there for other things
ANSWER_MS = 30000  # since the last piece, or the question: the rest does not come any more
AGAIN_FIRST_MS, AGAIN_LAST_MS = 30000, 3600000
GENEROSITY = 3  # so many times the size may come; then one window an hour
BAD_MAX = 8  # pieces with other bytes than the manifest says, in a row; then it is not what was announced


class Transfer:
    """`at` is the length of the file so far, `total` what it will be. `bad` counts wrong pieces since the last right one,
    `asked` all questions.
    """

    def __init__(self, file: int, total: int, at: int, pace_ms: int, matches: "Matches") -> None:
        """`total`: bytes of the file; `matches(number, piece)` says whether a piece is the right one."""
        self.file = file
        self.at = at
        self.bad = self.asked = 0
        self.total = total
        self._pace_ms = pace_ms
        self._matches = matches
        self._came = 0  # bytes, of all pieces
        self._until = at  # what was asked for ends here
        self._window = WINDOW
        self._asked_ms = 0
        self._failures = 0  # in a row
        self._due_ms: int | None = None  # the next question; None: at once

    def is_done(self) -> bool:
        return self.at >= self.total

    def is_wrong(self) -> bool:
        """Whether what comes is not what was announced."""
        return self.bad >= BAD_MAX

    def awaits(self) -> bool:
        """Whether pieces are on their way."""
        return self.at < self._until

    def question(self, now_ms: int) -> "tuple[int, int] | None":
        """(offset, bytes) to ask for now; None while there is nothing to ask."""
        if self.is_done() or (self._due_ms is not None and now_ms < self._due_ms):
            return None
        if self.awaits():  # the window before, or what is left of it
            self._failures += 1
            self._window = WINDOW
        wanted = min(self._window * PIECE_BYTES, self.total - self.at)
        self._until = self.at + wanted
        self._asked_ms = now_ms
        self._due_ms = now_ms + self._patience_ms()
        self.asked += 1
        return self.at, wanted

    def put_off(self, now_ms: int) -> None:
        """The broker did not take the question."""
        self._until, self._due_ms = self.at, now_ms + AGAIN_LAST_MS

    def piece(self, now_ms: int, file: int, offset: int, content: bytes) -> bool:
        """Whether these bytes belong at the end of the file. Any other piece is ignored."""
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
        """Until a question that stays unanswered is asked again."""
        return max(ANSWER_MS, self._spent_ms(), min(AGAIN_LAST_MS, AGAIN_FIRST_MS << min(self._failures, 8)))

    def _pause_ms(self) -> int:
        return max(self._pace_ms, self._spent_ms())

    def _spent_ms(self) -> int:
        return AGAIN_LAST_MS if self._came > GENEROSITY * self.total + WINDOW * PIECE_BYTES else 0


def parts(message: bytes) -> "tuple[bytes, int, int, bytes] | None":
    """(hash of the manifest, file, offset, bytes) of a message; None if it is none."""
    if not HEAD_BYTES < len(message) <= HEAD_BYTES + PIECE_BYTES:
        return None
    return message[:8], message[8], int.from_bytes(message[9:HEAD_BYTES], "big"), message[HEAD_BYTES:]
