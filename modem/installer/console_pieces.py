"""The tools' side of the service console on a line that loses bytes: one command and its answer. Pure; times are the caller's.

A command goes out in numbered pieces with a CRC each, the next one when the unit asks for it, so none is carried out that was
cut; of the answer, lines in pieces are put together, and those that were lost are asked for again. The format:
firmware/console_pieces.py.
"""

import re
import zlib

LINE_MAX = 160  # bytes, without the end of the line
TEXT_MAX = 136  # bytes of text in a piece
ID_MAX = 9999
REQUESTS_MAX = 40  # of all kinds, for one command: beyond that the line is too bad to go on
PIECE = re.compile(rb"@((.*)\*(\d{1,4})\.(\d{1,2})/(\d{1,2})) ([0-9a-f]{8})", re.DOTALL)
WANT = re.compile(rb"want (\d{1,4})\.(\d{1,2})\b")


class LineTooBad(Exception):
    """The answer is not whole: pieces are lost again and again, or a line is damaged."""


class Exchange:
    """One command. Write `request` to the line; for each line that comes call `take`, and write what it returns; after a
    silence write `repeat()`. `done` says when `lines` are the answer, or `error` what the unit refused. `repeats` counts the
    lines that were written or asked for again, because the line had lost bytes or was silent.
    """

    def __init__(self, command: str, number: int) -> None:
        self._number = number % (ID_MAX + 1)
        text = command.encode()
        texts = [text[start : start + TEXT_MAX] for start in range(0, len(text), TEXT_MAX)]
        self._pieces = [self._piece(part, len(texts), each) for part, each in enumerate(texts, 1)]
        self._last = self._pieces[0]
        self._lines: list[bytes | int] = []  # a line, or the number of one in pieces
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
        """Ends whatever was typed before, and begins."""
        return b"\r" + self._last + b"\r"

    @property
    def lines(self) -> list[str]:
        """The answer, without its last line."""
        return [line.decode("utf-8", "replace") for line in self._whole()]

    def repeat(self) -> bytes:
        """What to write when nothing came. Raises LineTooBad."""
        self.repeats += 1
        return self._send(self._last)

    def take(self, line: bytes) -> bytes:
        """A line from the unit, without its end; what to write for it, or b"". Raises LineTooBad."""
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
        elif not self._closed:  # the end of another answer: what came so far was not ours
            self._lines, self._long, self._totals = [], {}, {}
            return b""
        elif word == b"error":  # the pieces are gone
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
            raise LineTooBad(f"{REQUESTS_MAX} requests, and the answer is not whole")
        self._last = line
        return b"\r" + line + b"\r"

    def _piece(self, part: int, total: int, text: bytes) -> bytes:
        guarded = b"%s*%d.%d/%d" % (text, self._number, part, total)
        return b"@%s %08x" % (guarded, zlib.crc32(guarded))
