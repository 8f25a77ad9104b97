"""A replayed trace: a modem that answers each command as recorded, including URCs and silences.

Commands must come in the order of the trace; otherwise an AssertionError names both commands. The trace only has the length of
payload, so payload is replayed as zeros.

It also reads the files of `python -m modem trace`, and runs on MicroPython. It therefore has its own parser besides
hil_tests/sim/modem/recording.py, which describes the format.
"""

from modem.client import Modem
from modem.families import sim800
from tests.modem.scripted import TAKES_PAYLOAD, Clock, Port


def replayed(trace, family=sim800.FAMILY):
    """Return (modem, port, clock). `trace` is the text of a trace, with one line for each of Trace.lines()."""
    clock = Clock()
    port = _Replay(clock, [_parts(line) for line in trace.strip().split("\n") if not line.startswith("#")])
    return Modem(port, clock, family), port, clock


def _parts(line):
    """Return (milliseconds, ">" or "<", text)."""
    at_ms, mark, text = line.strip().split(" ", 2)
    return int(at_ms), mark, text


class _Replay(Port):
    def __init__(self, clock, parts):
        super().__init__(clock, {})
        self._parts = parts
        self._payload_due = 0
        self._say_until_next(parts[0][0])  # output before the first command

    @property
    def done(self):
        """Whether the whole trace has been replayed."""
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
        """Schedule all output of the modem before the next command, with the recorded delays."""
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
    """Return the bytes of an entry "<|", with the escapes r"\\r", r"\\n", r"\\\\" and r"\\xHH" decoded."""
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
