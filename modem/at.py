"""The AT dialogue as events: bytes in, (kind, value) tuples out. No clock, no input or output of its own.

Theory of operation
-------------------
What a modem sends is a stream of lines, with two exceptions: the prompt "> ", which ends no line, and counted binary
payload, which may contain anything, "OK" included. Neither can be told from text by looking at it, so the one who sends
a command says before what to expect (`expect`), and only then are prompt and payload looked for.

Each line is classified exactly once, in this order:

    ECHO      it repeats the command that is pending
    INFO      it belongs to the answer of the pending command
    FINAL     it ends the pending command: OK, ERROR, +CME ERROR, or a result of that command's own (SHUT OK)
    ACCEPTED  OK, where the pending command's answer follows its OK (CIPSTATUS, CDNSGIP)
    URC       it is an unsolicited result code, known by name or at least by shape
    UNEXPECTED     none of these: the remains of a torn line, or a late answer to a command that was given up

Three more kinds are not lines:

    PROMPT    the modem waits for payload
    PAYLOAD   the counted bytes have all arrived in the buffer given to `expect`; value is their number
    BROKEN    bytes were lost or a line was too long; value says which. The answer they belong to cannot be trusted

However the bytes are cut into chunks, the events are the same. Each byte is looked at a bounded number of times, a line
longer than the buffer is dropped and counted, and no payload is ever larger than the buffer it goes to.
"""

ECHO = "echo"
FINAL = "final"
ACCEPTED = "accepted"
INFO = "info"
URC = "urc"
UNEXPECTED = "unexpected"
PROMPT = "prompt"
PAYLOAD = "payload"
BROKEN = "broken"

# The longest lines are +COPS=? lists: 640 bytes with six operators in UCS2 (a capture), some 45 bytes per operator else.
LINE_LIMIT_BYTES = 1024

_PIECE_BYTES = 64
_LF = b"\n"
_GREATER = 0x3E
_SPACE = 0x20
_ERRORS = ("+CME ERROR", "+CMS ERROR")
# These answer a question and also come unasked. The unsolicited form has no <n> in front of <stat> (27.007, 7.2).
_REGISTRATIONS = ("+CREG:", "+CGREG:", "+CEREG:")


class Tokenizer:
    """Cuts the modem's bytes into events. `urcs` and `link_urcs` are the family's tables; see families/sim800.py."""

    def __init__(self, urcs, link_urcs=(), line_limit_bytes: int = LINE_LIMIT_BYTES):
        self._urcs = urcs
        self._link_urcs = link_urcs
        self._line_limit_bytes = line_limit_bytes
        self._rest = b""  # of a line that is not yet complete
        self._skipping = False
        self._payload_got = 0
        self.overlong_lines = 0
        self.expect("")
        self.expect_nothing()

    def use_urcs(self, urcs: "frozenset[str]", link_urcs: "frozenset[str]") -> None:
        """Replace the tables of unsolicited result codes. The lines that follow are classified by the new ones."""
        self._urcs = urcs
        self._link_urcs = link_urcs

    def expect(self, echo: str, info=(), ends=(), last=None, info_first=False, prompt=False, header="", payload=None):
        """Say what the command about to be sent may be answered with. Holds until its FINAL event.

        `info`       beginnings of its info lines; "" among them: any line that is nothing else
        `ends`       beginnings of results other than OK that end it, without the "<link>, " that may stand before them
        `last`       beginning of the info line that ends it, for the commands where OK does not; "" is any line
        `info_first` a final result before any info line is an old one, and UNEXPECTED
        `prompt`     a prompt comes first
        `header`     beginning of the info line whose third field counts the payload that follows it, into `payload`
        """
        self._echo = echo
        self._any_info = "" in info
        self._info = tuple([beginning for beginning in info if beginning]) if self._any_info else info
        self._ends = ends
        self._last = last
        self._info_first = info_first
        self._prompt = prompt
        self._header = header
        self._payload = payload
        self._unexpected = ""  # the last one
        self._pending = True

    def expect_nothing(self):
        """No command is pending: what comes now is unsolicited, or late."""
        self._pending = False
        self._any_info = False
        self._prompt = False
        self._prompt_begun = False
        self._header = ""
        self._payload = None
        self._payload_size = 0
        self._payload_ended = False

    def feed(self, chunk) -> list:
        """Take the next bytes; return the events that they complete."""
        events: list = []
        at = 0
        size = len(chunk)
        while at < size:
            if self._payload_size:
                at = self._take_payload(chunk, at, events)
            elif self._prompt and not self._rest and not self._skipping:
                at = self._take_prompt(chunk, at, events)
            elif self._prompt or self._header or self._skipping:
                at = self._take_line(chunk, at, events)
            else:
                at = self._take_lines(chunk, at, events)
        return events

    def _take_payload(self, chunk, at: int, events: list) -> int:
        got = self._payload_got
        end = min(len(chunk), at + self._payload_size - got)
        self._payload[got : got + end - at] = memoryview(chunk)[at:end]
        self._payload_got = got + end - at
        if self._payload_got == self._payload_size:
            events.append((PAYLOAD, self._payload_size))
            self._payload_size = 0
            self._payload_ended = True
        return end

    def _take_prompt(self, chunk, at: int, events: list) -> int:
        """At the start of a line where a prompt may stand. A URC may come first, so every line start is tried."""
        if self._prompt_begun:
            self._prompt_begun = False
            if chunk[at] == _SPACE or chunk[at] in b"\r\n":  # the line end: a URC fell between ">" and its space
                self._prompt = False
                events.append((PROMPT, ""))
                return at + 1
            self._rest = b">"
            return at
        if chunk[at] == _GREATER:
            self._prompt_begun = True
            return at + 1
        return self._take_line(chunk, at, events)

    def _take_line(self, chunk, at: int, events: list) -> int:
        """Take the rest of a line, or of the chunk. CR and LF both end lines, but only LF makes us look."""
        end = chunk.find(_LF, at)
        if end < 0:
            self._rest += chunk[at : at + self._line_limit_bytes + 1]
            if self._skipping or len(self._rest) > self._line_limit_bytes:
                self._skipping = True
                self._rest = b""
            return len(chunk)
        line = self._rest + chunk[at:end]
        self._rest = b""
        if self._skipping or len(line) > self._line_limit_bytes:
            self._skipping = False
            self.overlong_lines += 1
            events.append((BROKEN, "line too long"))
            return end + 1
        if self._payload_ended:
            self._payload_ended = False
            if line != b"\r":  # the modem sends CR LF behind the payload; if they were counted in, bytes are missing
                events.append((BROKEN, "payload not followed by a line end"))
        for part in line.split(b"\r"):
            self._classify(_text(part), events)
        return end + 1

    def _take_lines(self, chunk, at: int, events: list) -> int:
        """Take all the whole lines that are there, at once: the common case, where none of them can begin anything else.

        As many as a line may be long, so none is too long. The events are those of `_take_line`, only sooner.
        """
        until = at + self._line_limit_bytes - len(self._rest)
        lines = self._rest + chunk[at:until]
        end = lines.rfind(_LF)
        if end < 0:
            return self._take_line(chunk, at, events)
        self._rest = lines[end + 1 :]
        lines = lines[:end]
        try:
            texts = str(lines, "utf-8").replace("\r", "\n").split("\n")
        except UnicodeError:
            texts = [_text(line) for line in lines.replace(b"\r", _LF).split(_LF)]
        for text in texts:
            if text:
                self._classify(text, events)
        return min(until, len(chunk))

    def _classify(self, line: str, events: list):
        line = line.strip()
        if not line:
            return
        if self._pending:
            if line == self._echo:
                events.append((ECHO, line))
                return
            if line.startswith(self._info) and not _is_registration_urc(line):
                self._take_info(line, events)
                return
            if self._is_final(line):
                self._end(line, events)
                return
            if line == "OK" and self._last is not None:
                events.append((ACCEPTED, line))
                return
        if line.split(":", 1)[0] in self._urcs or _without_link(line) in self._link_urcs:
            events.append((URC, line))
        elif self._any_info:
            self._take_info(line, events)
        elif _has_urc_shape(line):
            events.append((URC, line))
        else:
            events.append((UNEXPECTED, line))
            # A URC may fall between the letters of the result: its two halves are still the result.
            if self._pending and self._is_final(self._unexpected + line):
                self._end(self._unexpected + line, events)
            self._unexpected = line

    def _is_final(self, line: str) -> bool:
        if self._info_first:
            return False
        if line == "OK":
            return self._last is None and not self._ends
        if line == "ERROR" or line.startswith(_ERRORS):
            return True
        return bool(self._ends) and _without_link(line).startswith(self._ends)

    def _end(self, line: str, events: list):
        self.expect_nothing()
        events.append((FINAL, line))

    def _take_info(self, line: str, events: list):
        events.append((INFO, line))
        self._info_first = False
        if self._header and line.startswith(self._header):
            self._begin_payload(line, events)
        if self._last is not None and line.startswith(self._last):
            self._end("OK", events)

    def _begin_payload(self, line: str, events: list):
        fields = line.split(",")
        count = fields[2].strip() if len(fields) > 2 else ""
        # `isdigit` alone also takes superscripts and the digits of other scripts, which noise can make.
        if not count.isdigit() or max(count) > "9" or int(count) > len(self._payload):
            events.append((BROKEN, "no usable payload size"))
            return
        self._payload_got = 0
        self._payload_size = int(count)


def _text(line: bytes) -> str:
    """Text of any bytes at all: UTF-8 if it is, else one character a byte. Noise must not raise."""
    try:
        return str(line, "utf-8")
    except UnicodeError:
        # In pieces: a list of all the characters at once would need eight times its room, and in one place.
        pieces = [line[at : at + _PIECE_BYTES] for at in range(0, len(line), _PIECE_BYTES)]
        return "".join(["".join([chr(byte) for byte in piece]) for piece in pieces])


def _without_link(line: str) -> str:
    """ "0, CLOSED" and "0,CLOSED" (logs have both) without the connection's number."""
    if len(line) > 1 and line[1] == "," and line[0].isdigit():
        return line[2:].strip()
    return line


def _is_registration_urc(line: str) -> bool:
    """Whether a registration line is of the unsolicited form: its second field is missing or a quoted area code."""
    if not line.startswith(_REGISTRATIONS):
        return False
    comma = line.find(",")
    return comma < 0 or line[comma + 1 :].lstrip()[:1] == '"'


def _has_urc_shape(line: str) -> bool:
    """Whether this may be a URC that no table of ours knows: +NAME: or *NAME: with something behind it."""
    colon = line.find(":")
    return colon > 1 and line[0] in "+*^" and line[1:colon].isalpha()
