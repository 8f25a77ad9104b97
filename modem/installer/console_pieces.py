"""The client side of the service console, over a line that loses bytes: one command and its answer. Pure.

A command is sent in numbered pieces, each with a CRC; the unit requests each next piece, so it never carries out a truncated
command. Long lines of the answer arrive in pieces too: they are joined, and missing pieces are requested again. The format is
described in firmware/console_pieces.py.
"""

import re
import zlib

LINE_MAX = 160  # bytes, without the end of the line
TEXT_MAX = 136  # bytes of text in a piece
ID_MAX = 9999
REQUESTS_MAX = 40  # lines written for one command after the first one; then the exchange is given up
PIECE = re.compile(rb"@((.*)\*(\d{1,4})\.(\d{1,2})/(\d{1,2})) ([0-9a-f]{8})", re.DOTALL)
WANT = re.compile(rb"want (\d{1,4})\.(\d{1,2})\b")


class LineTooBad(Exception):
    """The answer is incomplete: pieces were lost repeatedly, or a line is damaged."""


class Exchange:
    """One command and its answer.

    Write `request` to the line. For each received line, call `take` and write what it returns. After a silence, write
    `repeat()`. Once `done` is True, `lines` holds the answer, or `error` the reason for which the unit refused the command.
    `repeats` counts the lines that were written or requested again because bytes were lost or the line was silent.
    """

    def __init__(self, command: str, number: int) -> None:
        self._number = number % (ID_MAX + 1)
        text = command.encode()
        texts = [text[start : start + TEXT_MAX] for start in range(0, len(text), TEXT_MAX)]
        self._pieces = [self._piece(part, len(texts), each) for part, each in enumerate(texts, 1)]
        self._last = self._pieces[0]
        self._lines: list[bytes | int] = []  # a line, or the number of a line that arrives in pieces
        self._long: dict[int, dict[int, bytes]] = {}
        self._totals: dict[int, int] = {}
        self._closed = False
        self._crc = b""
        self._requests = 0
        self._sent = 1  # pieces
        self.repeats = 0
        self.done = False
        self.error: str | None = None

    @property
    def request(self) -> bytes:
        """The first bytes to write. The leading CR ends any partial line in the unit's input."""
        return b"\r" + self._last + b"\r"

    @property
    def lines(self) -> list[str]:
        """The answer, without its last line (`ok`)."""
        return [line.decode("utf-8", "replace") for line in self._whole()]

    def repeat(self) -> bytes:
        """Return what to write after a silence: the last line again. Raises LineTooBad."""
        self.repeats += 1
        return self._send(self._last)

    def take(self, line: bytes) -> bytes:
        """Process a line from the unit, without its line end. Return what to write in response, or b"". Raises LineTooBad."""
        if self.done or not line or line.startswith(b"#"):
            return b""
        wanted = WANT.match(line)
        if wanted:
            number, part = int(wanted[1]), int(wanted[2])
            if number != self._number or not 0 < part <= len(self._pieces) or self._closed:
                return b""
            self.repeats += part <= self._sent
            self._sent = max(self._sent, part)
            return self._send(self._pieces[part - 1])
        if line.startswith(b"@"):
            self._take_piece(line)
            return b""
        word, _, rest = line.partition(b" ")
        if word in (b"ok", b"error"):
            return self._end(word, rest)
        if not self._closed:
            self._lines.append(line)
        return b""

    def _end(self, word: bytes, rest: bytes) -> bytes:
        mine, _, text = rest.partition(b" ")
        if mine == b"@%d" % self._number:
            self._closed, self._crc = True, text
            if word == b"error":
                self.done, self.error = True, text.decode("utf-8", "replace")
                return b""
        elif not self._closed:  # the end of another answer: the lines so far belong to that one
            self._lines, self._long, self._totals = [], {}, {}
            return b""
        elif word == b"error":  # the unit no longer has the pieces
            raise LineTooBad(rest.decode("utf-8", "replace"))
        for number, parts in self._long.items():
            for part in range(1, self._totals[number] + 1):
                if part not in parts:
                    self.repeats += 1
                    return self._send(b"again %d %d" % (number, part))
        if b"%08x" % zlib.crc32(b"".join(line + b"\n" for line in self._whole())) != self._crc:
            raise LineTooBad("a line of the answer is lost or damaged")
        self.done = True
        return b""

    def _take_piece(self, line: bytes) -> None:
        found = PIECE.fullmatch(line)
        if not found:
            return
        text, number, part, total = found[2], int(found[3]), int(found[4]), int(found[5])
        if zlib.crc32(found[1]) != int(found[6], 16) or not 0 < part <= total:
            return
        if number not in self._long:
            if self._closed:
                return
            self._lines.append(number)
        self._long.setdefault(number, {})[part] = text
        self._totals[number] = total

    def _whole(self) -> list[bytes]:
        return [self._join(line) if isinstance(line, int) else line for line in self._lines]

    def _join(self, number: int) -> bytes:
        return b"".join(text for _, text in sorted(self._long[number].items()))

    def _send(self, line: bytes) -> bytes:
        self._requests += 1
        if self._requests > REQUESTS_MAX:
            raise LineTooBad(f"the answer is incomplete after {REQUESTS_MAX} requests")
        self._last = line
        return b"\r" + line + b"\r"

    def _piece(self, part: int, total: int, text: bytes) -> bytes:
        guarded = b"%s*%d.%d/%d" % (text, self._number, part, total)
        return b"@%s %08x" % (guarded, zlib.crc32(guarded))
