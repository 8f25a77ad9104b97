"""Records a serial line: a port that stores all bytes of both directions, and the file that is written from them.

The lines of the file are those of modem/trace.py, `milliseconds > command` and `milliseconds < response`. Received bytes that
are not a line between two CR LF are written exactly: `milliseconds <| ...`, with \\r, \\n, \\\\ and \\xHH. Notes begin with #.
The milliseconds count from the start of the recording; the time of a line is that of its last byte.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from modem.installer.errors import CannotTalk
from modem.installer.redaction import RECEIVED, SENT, Chunk, redacted
from modem.ports.pyserial_port import Port

LIMIT_BYTES = 262_144  # 20 s without a pause at 115,200 baud; a report takes about 10 kB
FRAGMENT_MS = 50  # a line with a longer silence in it is written in parts, each with its own time
LINE_BYTES = 1_024  # the longest line that the client accepts (modem/at.py)
RAW_BYTES = 64  # the most raw bytes in one line of the file

_FRAMED = re.compile(rb"\r\n([!-\[\]-~](?:[ -\[\]-~]*[!-\[\]-~])?)\r\n")
_COMMANDS = re.compile(rb"[\r\n]*AT[ -~]*\r\Z", re.IGNORECASE)
_LINE_ENDS = b"\r\n"
_PROMPT = b"\r\n> "
_OTHER_MEANING = re.compile(rb">|<\d+ bytes>")  # in a trace: a prompt, payload
_NAMED = {0x0D: "\\r", 0x0A: "\\n", 0x5C: "\\\\"}


class Recorder:
    """A Port (modem/contracts.pyi) that wraps another one and records it. `lost_bytes` counts the bytes beyond LIMIT_BYTES."""

    def __init__(self, port: Port, now_ms: Callable[[], int] | None = None) -> None:
        self._port = port
        self._now_ms = now_ms or (lambda: int(time.monotonic() * 1000))
        self._start_ms = self._now_ms()
        self._chunks: list[Chunk] = []
        self._notes: list[tuple[int, str]] = []  # (index of the chunk that follows the note, text)
        self._size_bytes = 0
        self.lost_bytes = 0

    def set_baud(self, baud: int) -> None:
        self._notes.append((len(self._chunks), f"# {self._elapsed_ms()} {baud} baud"))
        self._port.set_baud(baud)

    def read(self) -> bytes:
        data = self._port.read()
        self._add(RECEIVED, data)
        return data

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._add(SENT, bytes(data))
        self._port.write(data)

    def wait(self, timeout_ms: int) -> bool:
        return self._port.wait(timeout_ms)

    def close(self) -> None:
        self._port.close()

    def lines(self) -> list[str]:
        """Return the lines of the recording so far, redacted."""
        chunks = redacted(self._chunks)
        lines: list[str] = []
        notes = list(self._notes)
        at = 0
        while at < len(chunks):
            while notes and notes[0][0] <= at:
                lines.append(notes.pop(0)[1])
            if chunks[at].direction == SENT:
                lines += _sent(chunks[at])
                at += 1
                continue
            until = at + 1
            limit = notes[0][0] if notes else len(chunks)
            while until < limit and chunks[until].direction == RECEIVED:
                until += 1
            lines += _received(chunks[at:until])
            at = until
        lines += [note for _, note in notes]
        if self.lost_bytes:
            lines.append(f"# {self.lost_bytes} more bytes were not recorded")
        return lines

    def _elapsed_ms(self) -> int:
        return self._now_ms() - self._start_ms

    def _add(self, direction: str, data: bytes) -> None:
        room = LIMIT_BYTES - self._size_bytes
        if len(data) > room:
            self.lost_bytes += len(data) - room
            data = data[:room]
        if data:
            self._size_bytes += len(data)
            self._chunks.append(Chunk(self._elapsed_ms(), direction, data))


@contextmanager
def recorded(path: Path, port: Port, say: Callable[[str], None]) -> Iterator[Recorder]:
    """Record `port`, and write the recording to the new file `path` even if the dialogue ends with an error.

    Closes the port at the end. Raises CannotTalk if the file exists or cannot be written.
    """
    recorder = Recorder(port)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        port.close()
        raise _unwritable(path, error) from None
    taken = datetime.now().astimezone().isoformat(timespec="seconds")
    head = ["# Trace of a modem's serial line. The format is described in modem/README.md.", f"# {taken}"]
    try:
        yield recorder
    finally:
        port.close()
        try:
            with open(file, "w", encoding="ascii") as out:
                out.write("\n".join([*head, *recorder.lines()]) + "\n")
        except OSError as error:
            raise _unwritable(path, error) from None
        say(f"written: {path}")


def _unwritable(path: Path, error: OSError) -> CannotTalk:
    if isinstance(error, FileExistsError):
        return CannotTalk(f"{path}: the file exists and is not overwritten; choose another --out")
    return CannotTalk(f"{path}: cannot write the trace ({error.strerror}); choose another --out")


def _sent(chunk: Chunk) -> list[str]:
    """Return the lines of one write: its commands, or its length if it is not a command; [] for line ends alone."""
    if not chunk.data.strip(b"\r\n"):
        return []
    if not _COMMANDS.match(chunk.data):
        return [f"{chunk.at_ms} > <{len(chunk.data)} bytes>"]
    commands = chunk.data.decode("ascii").replace("\n", "\r").split("\r")
    return [f"{chunk.at_ms} > {command}" for command in commands if command]


def _received(chunks: list[Chunk]) -> list[str]:
    """Return the lines of the chunks that were received between two writes."""
    data = b"".join(chunk.data for chunk in chunks)
    times = [chunk.at_ms for chunk in chunks for _ in chunk.data]  # of each byte
    gaps = [at for at in range(1, len(data)) if times[at] - times[at - 1] >= FRAGMENT_MS] + [len(data)]
    lines = []
    at = 0
    while at < len(data):
        while gaps[0] <= at:
            gaps.pop(0)
        framed = _FRAMED.match(data, at, gaps[0])
        if framed and not _OTHER_MEANING.fullmatch(framed[1]):
            end = framed.end()
            lines.append(f"{times[end - 1]} < {framed[1].decode('ascii')}")
        elif data[at : gaps[0]] == _PROMPT:
            end = gaps[0]
            lines.append(f"{times[end - 1]} < >")
        else:
            end = _raw_end(data, at, gaps[0])
            lines.append(f"{times[end - 1]} <| {_escaped(data[at:end])}")
        at = end
    return lines


def _raw_end(data: bytes, at: int, limit: int) -> int:
    """Return the index at which an entry of raw bytes ends: after a line end, before a complete line, or at `limit`."""
    limit = min(limit, at + RAW_BYTES)
    content = at
    while content < limit and data[content] in _LINE_ENDS:
        content += 1
    line_end = data.find(b"\n", content, limit) + 1 or limit
    framed = _FRAMED.search(data, at + 1, limit + LINE_BYTES)
    return min(line_end, framed.start()) if framed else line_end


def _escaped(data: bytes) -> str:
    """Return printable ASCII unchanged, all other bytes as escapes. Spaces at both ends are escaped: tools strip them."""
    text = "".join(_NAMED.get(byte) or (chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02X}") for byte in data)
    if text.endswith(" "):
        text = text[:-1] + "\\x20"
    return "\\x20" + text[1:] if text.startswith(" ") else text
