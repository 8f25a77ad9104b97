"""The format of console lines on a serial line that loses bytes: numbered pieces, each with a CRC. Pure.

No line is longer than LINE_MAX, because the input ring of an ESP32 holds 260 bytes and silently drops the rest. A command is
sent in pieces, one piece per line. The unit requests each next piece:

    @TEXT*ID.N/TOTAL CRC     ID: of the command, 0..9999; N: 1..TOTAL; CRC: CRC-32 of `TEXT*ID.N/TOTAL`, eight hex digits
    want ID.N                the response while pieces are missing: the first missing piece; ` damaged` follows if the CRC was
                             wrong

Both its start and its end mark a piece, so a piece that lost one of them is not mistaken for a command. The last line of the
answer to such a command has its ID: `ok @ID CRC`, with the CRC-32 of all lines before it, each with a line feed; or
`error @ID ...`. A command is carried out once, even if its last piece is received several times.

A line of an answer that is longer than LINE_MAX is sent in pieces too; their ID is the number of the line among the long lines
of this answer. `again ID N` requests such a piece again, until the next command.

A short command may also be typed without this format; it then has no CRC.
"""

import binascii

LINE_MAX = 160  # bytes, without the end of the line
TEXT_MAX = 136  # bytes of text in a piece: the rest is `@`, `*9999.99/99` and a CRC
COMMAND_MAX = 512  # bytes of one command, all its pieces together
ID_MAX = 9999
TAIL_MAX = 21  # bytes of the longest `*ID.N/TOTAL CRC`
AGAIN = b"again "

if False:  # for mypy alone
    from collections.abc import Iterator


def is_piece(line: bytes) -> bool:
    """Return whether the line is a piece of a command, or the rest of a piece that lost its start or its end."""
    tail, space, crc = line[-TAIL_MAX:].rpartition(b" ")
    return line[:1] == b"@" or (len(crc) == 8 and bool(space) and _numbers(tail.rpartition(b"*")[2]) is not None)


class Incoming:
    """Joins the pieces of commands; `take` returns a command once it is complete. `damaged` counts pieces with a wrong CRC."""

    def __init__(self) -> None:
        self.damaged = 0
        self._id: int | None = None  # of the command that is being received
        self._total = 0
        self._texts: list[bytes] = []
        self._done: int | None = None  # ID of the command that was carried out or refused last

    def take(self, line: bytes) -> "tuple[bytes | None, int | None, str | None]":
        """Process a piece. Return (command, its ID, reply): a complete command and its ID, or a reply to write, or neither."""
        guarded, _, crc = line[1:].rpartition(b" ")
        text, _, tail = guarded.rpartition(b"*")
        found = _numbers(tail)
        if line[:1] != b"@" or found is None or b"%08x" % binascii.crc32(guarded) != crc:
            self.damaged += 1
            if self._id is None:
                return None, None, "error a piece is damaged; send it again"
            return None, None, self._want() + " damaged"
        number, part, total = found
        if number == self._done:
            return None, None, None  # the last piece was received again
        if number != self._id or total != self._total:
            self._id, self._total, self._texts = number, total, []
        if part == len(self._texts) + 1:
            self._texts.append(text)
        if sum(len(each) for each in self._texts) > COMMAND_MAX or total * TEXT_MAX >= COMMAND_MAX + TEXT_MAX:
            self._forget(number)
            return None, None, "error @%d the command is longer than %d bytes" % (number, COMMAND_MAX)
        if len(self._texts) < total:
            return None, None, self._want()
        command = b"".join(self._texts)
        self._forget(number)
        return command, number, None

    def _want(self) -> str:
        return "want %s.%d" % (self._id, len(self._texts) + 1)

    def _forget(self, number: int) -> None:
        self._id, self._texts, self._done = None, [], number


class Outgoing:
    """Splits answers into lines and pieces, and stores the long lines of the last answer for `again`."""

    def __init__(self) -> None:
        self._long: list[bytes] = []
        self._number: int | None = None  # ID of the command being answered; None if it was typed without pieces
        self._crc = 0

    def begin(self, number: "int | None") -> None:
        """Begin the answer to the command with this ID, None if it has none. Discards the lines of the last answer."""
        self._long, self._number, self._crc = [], number, 0

    def lines(self, line: str, last: bool) -> "Iterator[bytes]":
        """Yield the lines, as bytes, that transmit `line` of an answer. `last`: it is the last line, `ok` or `error ...`."""
        text = line.encode()
        if last:
            yield self._last(text)[:LINE_MAX]
            return
        self._crc = binascii.crc32(b"\n", binascii.crc32(text, self._crc))
        if len(text) <= LINE_MAX:
            yield text
            return
        self._long.append(text)
        for part in range(1, _parts(text) + 1):
            yield _piece(len(self._long), part, text)

    def _last(self, text: bytes) -> bytes:
        if self._number is None:
            return text
        if text == b"ok":
            return b"ok @%d %08x" % (self._number, self._crc)
        word, _, why = text.partition(b" ")
        return b"%s @%d %s" % (word, self._number, why)

    def again(self, asked: bytes) -> "list[bytes]":
        """Return the answer to `again ID N`: that piece and `ok`, or one line `error`. `asked`: the bytes `ID N`."""
        try:
            number, part = [int(word) for word in asked.split()]
        except ValueError:
            return [b"error again ID N"]
        if not 0 < number <= len(self._long) or not 0 < part <= _parts(self._long[number - 1]):
            return [b"error there is no piece %d of %d; ask anew" % (part, number)]
        return [_piece(number, part, self._long[number - 1]), b"ok"]


def _parts(text: bytes) -> int:
    return (len(text) + TEXT_MAX - 1) // TEXT_MAX


def _piece(number: int, part: int, text: bytes) -> bytes:
    guarded = text[(part - 1) * TEXT_MAX : part * TEXT_MAX] + b"*%d.%d/%d" % (number, part, _parts(text))
    return b"@%s %08x" % (guarded, binascii.crc32(guarded))


def _numbers(tail: bytes) -> "tuple[int, int, int] | None":
    """Return (ID, N, TOTAL) of `ID.N/TOTAL`, or None if it is not valid."""
    number, _, rest = tail.partition(b".")
    part, _, total = rest.partition(b"/")
    if not (number.isdigit() and part.isdigit() and total.isdigit()) or len(tail) > 10:
        return None
    found = int(number), int(part), int(total)
    return found if found[0] <= ID_MAX and 0 < found[1] <= found[2] else None
