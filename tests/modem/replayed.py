"""A trace played back: a modem that answers each command as it did then, URCs and silences included.

The commands must come in the order of the trace; one that does not is an AssertionError that names both. Payload, of
which a trace keeps only the length, comes back as so many zeros.

It reads the files of `python -m modem trace` too, on MicroPython as well: so it has a parser of its own beside that of
hil_tests/sim/modem/recording.py, which describes the format.
"""

from modem.client import Modem
from modem.families import sim800
from tests.modem.scripted import TAKES_PAYLOAD, Clock, Port


def replayed(trace, family=sim800.FAMILY):
    """(modem, port, clock): `trace` is the text of a trace, a line for each of Trace.lines()."""
    clock = Clock()
    port = _Replay(clock, [_parts(line) for line in trace.strip().split("\n") if not line.startswith("#")])
    return Modem(port, clock, family), port, clock


def _parts(line):
    """(milliseconds, ">" or "<", text)"""
    at_ms, mark, text = line.strip().split(" ", 2)
    return int(at_ms), mark, text


class _Replay(Port):
    def __init__(self, clock, parts):
        super().__init__(clock, {})
        self._parts = parts
        self._payload_due = 0
        self._say_until_next(parts[0][0])  # what it said before anybody asked

    @property
    def done(self):
        """Whether all of the trace has been played."""
        return not self._parts

    def write(self, data):
        if self._payload_due:
            self._payload_due -= len(bytes(data))
            if self._payload_due <= 0:
                at_ms, _, _ = self._parts.pop(0)
                self._say_until_next(at_ms)
            return
        for command in bytes(data).decode().split("\r"):
            if command:
                self._take(command)

    def _take(self, command):
        assert self._parts, "the trace is over, and %s came" % command
        at_ms, _, expected = self._parts.pop(0)
        assert command == expected, "%s came where the trace has %s" % (command, expected)
        self.sent.append(command)
        self._say_until_next(at_ms)
        if command.startswith(TAKES_PAYLOAD) and self._parts and self._parts[0][2].startswith("<"):
            self._payload_due = int(command.split(",")[1])

    def _say_until_next(self, since_ms):
        """All that the modem said before the next command, after the time that it took then."""
        while self._parts and self._parts[0][1].startswith("<"):
            at_ms, mark, text = self._parts.pop(0)
            self.says(_said(text) if mark == "<" else _unescaped(text), at_ms - since_ms)


def _said(text):
    if text == ">":
        return b"\r\n> "
    if text.startswith("<") and text.endswith(" bytes>"):
        return bytes(int(text[1:-7])) + b"\r\n"
    return b"\r\n" + text.encode() + b"\r\n"


def _unescaped(text):
    """The bytes of an entry "<|": r"\\r", r"\\n", r"\\\\" and r"\\xHH" are escapes."""
    said = b""
    while text:
        before, mark, text = text.partition("\\")
        said += before.encode()
        if text[:1] == "x":
            said += bytes([int(text[1:3], 16)])
            text = text[3:]
        elif mark:
            said += {"r": b"\r", "n": b"\n", "\\": b"\\"}[text[0]]
            text = text[1:]
    return said
