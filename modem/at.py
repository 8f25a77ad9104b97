"""Tokenizer of the AT dialogue: bytes in, (kind, value) events out. No clock and no I/O.

Theory of operation
-------------------
A modem sends lines, with two exceptions: the prompt "> ", which has no line end, and binary payload with a byte count, which
may contain anything, including "OK". Neither can be distinguished from text by its content, so the caller announces what the
next command may be answered with (`expect`), and prompt and payload are recognised only then.

Each line is classified exactly once, in this order:

    ECHO        the echo of the pending command
    INFO        an information response of the pending command
    FINAL       the final result of the pending command: OK, ERROR, +CME ERROR, or one specific to the command (SHUT OK)
    ACCEPTED    OK of a command whose information response follows its OK
    URC         an unsolicited result code, recognised by its name or its form
    UNEXPECTED  anything else: a fragment of a line, or a late response to a command that timed out

Three more kinds are not lines:

    PROMPT      the modem waits for payload
    PAYLOAD     all payload bytes are in the buffer given to `expect`; value is their number
    BROKEN      bytes were lost or a line was too long; value is the reason. The response is not reliable

The events do not depend on how the bytes are divided into chunks. The work per byte is bounded. A line longer than the limit
is discarded and counted. Payload that exceeds its buffer is rejected.

Sources: ITU-T V.250, 5.7 (result codes); 3GPP TS 27.007, section 4.
"""

from modem import registration

if False:  # for mypy alone
    from modem.contracts import Event

ECHO = "echo"
FINAL = "final"
ACCEPTED = "accepted"
INFO = "info"
URC = "urc"
UNEXPECTED = "unexpected"
PROMPT = "prompt"
PAYLOAD = "payload"
BROKEN = "broken"

# The longest lines are +COPS=? lists: 640 bytes with six operators in UCS2 (captured), otherwise about 45 bytes per operator.
LINE_LIMIT_BYTES = 1024

_PIECE_BYTES = 64
_LF = b"\n"
_GREATER = 0x3E
_SPACE = 0x20
_NO_BUFFER = bytearray()
# Final results that are errors, beside ERROR. The last two are Huawei's, in its place [unverified].
ERRORS = ("+CME ERROR", "+CMS ERROR", "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS")
# Bytes that a serial line receives while a modem wakes or changes its speed. They are stripped from the start of a line if the
# rest of the line is known.
STRAY_BYTES = b"\x00\xff"
_STRAY = "\x00\xff"
_STRAY_MAX = 8  # the most stray bytes before a prompt


class Tokenizer:
    """Converts received bytes to events. `urcs` and `link_urcs` are tables of the family; see contracts.pyi.

    `overlong_lines` counts the lines that exceeded `line_limit_bytes`, `stray_bytes` the stray bytes that were stripped.
    """

    def __init__(
        self,
        urcs: tuple[str, ...],
        link_urcs: tuple[str, ...] = (),
        line_limit_bytes: int = LINE_LIMIT_BYTES,
    ) -> None:
        self.use_urcs(urcs, link_urcs)
        self._line_limit_bytes = line_limit_bytes
        self._rest = b""  # of an incomplete line
        self._skipping = False
        self._payload_got = 0
        self.overlong_lines = 0
        self.stray_bytes = 0
        self.expect("")
        self.expect_nothing()

    def use_urcs(self, urcs: tuple[str, ...], link_urcs: tuple[str, ...]) -> None:
        """Replace the tables of unsolicited result codes. The lines that follow are classified by the new ones."""
        self._urcs = frozenset(urcs)  # about forty names, looked up for each line
        self._link_urcs = link_urcs

    def expect(
        self,
        echo: str,
        info: tuple[str, ...] = (),
        ends: tuple[str, ...] = (),
        last: str | None = None,
        info_first: bool = False,
        prompt: str = "",
        header: str = "",
        payload: bytearray | memoryview | None = None,
    ) -> None:
        """Set the responses that the next command may have. Valid until its FINAL event.

        `info`       prefixes of its info lines; if "" is among them, any line that is not classified otherwise
        `ends`       prefixes of final results other than OK, without the "<link>, " that may precede them
        `last`       prefix of the info line that ends the response together with OK, in either order; "": any info line ends
                     the response, without OK
        `info_first` a final result before the first info line belongs to an earlier command and is UNEXPECTED
        `prompt`     precedes the response: "> ", or ">" for modems that may omit the space after it
        `header`     the text that precedes the payload size in an info line. The payload follows that line and is stored in
                     `payload`. If `header` ends with " ,", the size precedes that comma and the payload follows the comma
                     in the same line
        """
        self._echo = echo
        self._any_info = "" in info
        self._info = tuple([beginning for beginning in info if beginning]) if self._any_info else info
        self._ends = ends
        self._last = last
        self._info_first = info_first
        self._prompt = prompt
        self._header = header
        self._payload: bytearray | memoryview = _NO_BUFFER if payload is None else payload
        self._half = ""  # "OK" or "info": the half of the end of the response that was received
        self._unexpected = ""  # the last UNEXPECTED line
        self._pending = True

    def expect_nothing(self) -> None:
        """Set that no command is pending: any line is unsolicited or late."""
        self._pending = False
        self._any_info = False
        self._prompt = ""
        self._prompt_begun = False
        self._header = ""
        self._payload = _NO_BUFFER
        self._payload_size = 0
        self._payload_ended = False

    def feed(self, chunk: bytes) -> "list[Event]":
        """Process received bytes and return the events that they complete. Does not raise for any input."""
        events: list[Event] = []
        at = 0
        size = len(chunk)
        while at < size:
            if self._payload_size:
                at = self._take_payload(chunk, at, events)
            elif self._prompt and not self._skipping and self._is_line_start():
                at = self._take_prompt(chunk, at, events)
            elif self._prompt or self._header or self._skipping:
                at = self._take_line(chunk, at, events)
            else:
                at = self._take_lines(chunk, at, events)
        return events

    def _take_payload(self, chunk: bytes, at: int, events: "list[Event]") -> int:
        got = self._payload_got
        end = min(len(chunk), at + self._payload_size - got)
        self._payload[got : got + end - at] = memoryview(chunk)[at:end]
        self._payload_got = got + end - at
        if self._payload_got == self._payload_size:
            events.append((PAYLOAD, self._payload_size))
            self._payload_size = 0
            self._payload_ended = True
        return end

    def _is_line_start(self) -> bool:
        """Return whether a prompt may follow: only stray bytes have been received since the last line."""
        return not self._rest or (len(self._rest) <= _STRAY_MAX and not self._rest.strip(STRAY_BYTES))

    def _take_prompt(self, chunk: bytes, at: int, events: "list[Event]") -> int:
        """Look for the prompt at the start of a line. A URC may precede it, so each line start is checked."""
        byte, begun = chunk[at], self._prompt_begun
        self._prompt_begun = False
        # A line end after ">" also completes the prompt: a URC was inserted before the space.
        if (begun and (byte == _SPACE or byte in b"\r\n")) or (byte == _GREATER and self._prompt == ">"):
            self._prompt = ""
            self.stray_bytes += len(self._rest)
            self._rest = b""
            events.append((PROMPT, ""))
            return at + 1
        if begun:
            self._rest += b">"
            return at
        if byte == _GREATER:
            self._prompt_begun = True
            return at + 1
        if chunk[at] in STRAY_BYTES:
            self._rest += chunk[at : at + 1]
            return at + 1
        return self._take_line(chunk, at, events)

    def _take_line(self, chunk: bytes, at: int, events: "list[Event]") -> int:
        """Process the rest of a line, or of the chunk. CR and LF both end lines, but only LF triggers processing.

        Return the index of the first byte that was not processed.
        """
        end = chunk.find(_LF, at)
        if self._header[-2:-1] == " ":
            comma = chunk.find(b",", at)
            line = self._rest + chunk[at:comma]
            if (comma < end or end < 0) and comma >= 0 and self._header[:-1].encode() in line:
                self._header = self._header[:-1]
                self._rest = b""
                self._classify(_text(line), events)
                return comma + 1
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
            if line != b"\r":  # CR LF follows the payload; if it was counted as payload, bytes are missing
                events.append((BROKEN, "payload not followed by a line end"))
        for part in line.split(b"\r"):
            self._classify(_text(part), events)
        return end + 1

    def _take_lines(self, chunk: bytes, at: int, events: "list[Event]") -> int:
        """Process all complete lines at once. This is the common case, in which neither prompt nor payload can occur.

        Limited to `line_limit_bytes`, so that no line exceeds the limit. The events are the same as from `_take_line`.
        """
        until = at + self._line_limit_bytes - len(self._rest)
        lines = self._rest + chunk[at:until]
        end = lines.rfind(_LF)
        if end < 0:
            return self._take_line(chunk, at, events)
        self._rest = lines[end + 1 :]
        lines = lines[:end]
        try:
            text = lines.decode().replace("\r\n", "\n")
            texts = (text.replace("\r", "\n") if "\r" in text else text).split("\n")
        except UnicodeError:
            texts = [_text(line) for line in lines.replace(b"\r", _LF).split(_LF)]
        for text in texts:
            if text:
                self._classify(text, events)
        return min(until, len(chunk))

    def _classify(self, line: str, events: "list[Event]") -> None:
        line = line.strip()
        if not line:
            return
        if line[0] in _STRAY:
            count = 1
            while line[count : count + 1] and line[count] in _STRAY:  # MicroPython's lstrip takes bytes, not characters
                count += 1
            if self._is_known(line[count:]):
                self.stray_bytes += count
                line = line[count:]
        if self._pending:
            if line == self._echo:
                events.append((ECHO, line))
                return
            # A registration line without <n> is a URC, not a response.
            if line.startswith(self._info) and not (
                line.startswith(registration.COMMANDS) and registration.is_urc(line)
            ):
                self._take_info(line, events)
                return
            if self._is_final(line):
                self._end(line, events)
                return
            if line == "OK" and self._last is not None:
                events.append((ACCEPTED, line))
                self._end_half(line, events)
                return
        if line.split(":", 1)[0] in self._urcs or _without_link(line) in self._link_urcs:
            events.append((URC, line))
        elif self._any_info:
            self._take_info(line, events)
        elif _has_urc_shape(line):
            events.append((URC, line))
        else:
            events.append((UNEXPECTED, line))
            # A URC may interrupt the final result: the two fragments together are the result.
            if self._pending and self._is_final(self._unexpected + line):
                self._end(self._unexpected + line, events)
            self._unexpected = line

    def _is_known(self, line: str) -> bool:
        """Return whether the line is a possible response of the pending command, or a URC of the tables."""
        if (
            self._pending
            and line
            and (line in (self._echo, "OK") or line.startswith(self._info) or self._is_final(line))
        ):
            return True
        return line.split(":", 1)[0] in self._urcs or _without_link(line) in self._link_urcs

    def _is_final(self, line: str) -> bool:
        if self._info_first:
            return False
        if line == "OK":
            return self._last is None and not self._ends
        if line == "ERROR" or line.startswith(ERRORS):
            return True
        return bool(self._ends) and _without_link(line).startswith(self._ends)

    def _end(self, line: str, events: "list[Event]") -> None:
        self.expect_nothing()
        events.append((FINAL, line))

    def _take_info(self, line: str, events: "list[Event]") -> None:
        events.append((INFO, line))
        self._info_first = False
        if self._header and self._header in line:
            self._begin_payload(line, events)
        if self._last is not None and line.startswith(self._last):
            if not self._last:
                self._half = "OK"  # no OK follows
            self._end_half("info", events)

    def _end_half(self, half: str, events: "list[Event]") -> None:
        """Record that `half` of the end of a response with `last` was received; end the response if both were."""
        if self._half in ("", half):
            self._half = half
        else:
            self._end("OK", events)

    def _begin_payload(self, line: str, events: "list[Event]") -> None:
        count = line.split(self._header, 1)[1].split(",", 1)[0].strip()
        # `isdigit` also accepts superscripts and the digits of other scripts, which noise can produce.
        if not count.isdigit() or max(count) > "9" or int(count) > len(self._payload):
            events.append((BROKEN, "no usable payload size"))
            return
        self._payload_got = 0
        self._payload_size = int(count)


def _text(line: bytes) -> str:
    """Decode as UTF-8, or if that fails as one character per byte. Noise must not raise."""
    try:
        return str(line, "utf-8")
    except UnicodeError:
        # In pieces: one list of all characters would need a contiguous block eight times as large.
        pieces = [line[at : at + _PIECE_BYTES] for at in range(0, len(line), _PIECE_BYTES)]
        return "".join(["".join([chr(byte) for byte in piece]) for piece in pieces])


def _without_link(line: str) -> str:
    """Strip the connection number of "0, CLOSED" or "0,CLOSED"; logs show both forms."""
    if len(line) > 1 and line[1] == "," and line[0].isdigit():
        return line[2:].strip()
    return line


def _has_urc_shape(line: str) -> bool:
    """Return whether the line has the form of a URC: +NAME: or *NAME: or ^NAME:. For URCs that are in no table."""
    colon = line.find(":")
    return colon > 1 and line[0] in "+*^" and line[1:colon].isalpha()
