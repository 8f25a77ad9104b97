"""A recorded dialogue with a modem, as a file: what was sent and received, and when.

    # a note
    100 > AT+CSQ                    a command, without its carriage return
    104 < +CSQ: 17,0                a line between two CR LF
    104 < OK
    150 <| \\x00\\xFF+CRE             bytes as they are, with the escapes \\r \\n \\\\ \\xHH
    900 > AT+CIPSEND=0,20
    904 < >                         the prompt, CR LF "> "
    905 > <20 bytes>                payload, of which only the length is known
    950 < <4 bytes>

`python -m modem trace` makes such files; the console of a charge point (`trace`) and the log of a failed test have the same
lines. `***` in a command stands for any text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"\s*(\d+) (>|<\|?) ?(.*?)[\r\n]*")
_PAYLOAD = re.compile(r"<(\d{1,7}) bytes>")
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_NAMED = {b"r": b"\r", b"n": b"\n", b"\\": b"\\"}
_ANY = "***"


class BadRecording(Exception):
    """The file is not a recording. The text says where and why."""


@dataclass(frozen=True)
class Sent:
    """A command from the client, or a payload of `payload_bytes`. `line` is its line in the file."""

    at_ms: int
    line: int
    command: str
    payload_bytes: int = 0

    def matches(self, command: str) -> bool:
        """Return whether this is the command that was sent. Case does not matter."""
        pattern = ".*".join(re.escape(part) for part in self.command.split(_ANY))
        return re.fullmatch(pattern, command, re.IGNORECASE) is not None


@dataclass(frozen=True)
class Received:
    """Bytes from the modem."""

    at_ms: int
    data: bytes


def load(path: Path) -> list[Sent | Received]:
    """Return the entries of a file. Raises BadRecording, OSError."""
    try:
        return parsed(path.read_text(encoding="utf-8"))
    except (BadRecording, UnicodeDecodeError) as error:
        raise BadRecording(f"{path}: {error}") from None


def parsed(text: str) -> list[Sent | Received]:
    """Return the entries of a text. Raises BadRecording."""
    return list(_entries(text))


def _entries(text: str) -> Iterator[Sent | Received]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise BadRecording(f"line {number} is no entry: {line[:80]!r}")
        at_ms, mark, what = int(parts[1]), parts[2], parts[3]
        payload = _PAYLOAD.fullmatch(what) if mark != "<|" else None
        if mark == ">":
            yield Sent(at_ms, number, "" if payload else what.strip(), int(payload[1]) if payload else 0)
        elif mark == "<|":
            yield Received(at_ms, _unescaped(what.encode(), number))
        elif payload:
            yield Received(at_ms, bytes(int(payload[1])) + b"\r\n")
        else:
            yield Received(at_ms, b"\r\n> " if what == ">" else b"\r\n" + what.encode() + b"\r\n")


def _unescaped(text: bytes, number: int) -> bytes:
    def one(match: re.Match[bytes]) -> bytes:
        what = match[1]
        if len(what) == 3:
            return bytes([int(what[1:], 16)])
        if what not in _NAMED:
            raise BadRecording(f"line {number} has an unknown escape: {match[0]!r}")
        return _NAMED[what]

    return _ESCAPE.sub(one, text)
