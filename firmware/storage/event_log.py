"""The local event log: the latest events in memory, security events in flash as well (SI 2021/1467, Schedule 1).

The flash holds at least the last 256 security events, in files of 64 lines with a CRC each; other events cannot displace them.
Events on the same subject are written at most once a minute, to limit flash wear. The next line on the subject has the number
of events that were omitted.
"""

import binascii
import json
import os

if False:  # for mypy alone
    from typing import Any

FOLDER = "/security"
SECURITY = ("tamper", "security", "settings")
LATEST = 32
PER_FILE = 64
FILES = 5  # one of them is being filled
EVERY_MS = 60000


class EventLog:
    """The log, in `folder`. `refused` counts security events that could not be written."""

    def __init__(self, folder: str) -> None:
        self._latest: list[str] = []  # JSON, because the values would take four times the memory
        self.refused = 0
        self._folder = folder + FOLDER
        self._written_ms: dict[str, int] = {}  # by subject
        self._omitted: dict[str, int] = {}
        try:
            os.mkdir(self._folder)
        except OSError:
            pass  # it exists; a flash failure is counted in `refused`
        files = self._files()
        self._file = files[-1] if files else 0
        self._lines = len(self._read(self._file))

    def put(self, at_ms: int, time_s: int | None, kind: str, details: object) -> None:
        """Log an event. `at_ms`: time since boot; `time_s`: UTC or None; `details`: a JSON value. Raises nothing."""
        self._latest.append(json.dumps((at_ms, kind, details)))
        if len(self._latest) > LATEST:
            self._latest.pop(0)
        if kind not in SECURITY:
            return
        about = _about(kind, details)
        written_ms = self._written_ms.get(about)
        if written_ms is not None and at_ms - written_ms < EVERY_MS:
            self._omitted[about] = self._omitted.get(about, 0) + 1
            return
        self._written_ms[about] = at_ms
        try:
            self._append([time_s, kind, details, self._omitted.pop(about, 0)])
        except OSError:
            self.refused += 1

    def latest(self) -> "list[Any]":
        """Return the latest events since the start, [at_ms, kind, details], oldest first."""
        return [json.loads(event) for event in self._latest]

    def security(self, count: int) -> "list[Any]":
        """Return the latest `count` security events: [UTC seconds or None, kind, details, number of events omitted before]."""
        found: list[Any] = []
        for number in reversed(self._files()):
            if len(found) < count:
                found = self._read(number) + found
        return found[-count:]

    def _append(self, entry: list[object]) -> None:
        if self._lines >= PER_FILE:
            self._file, self._lines = self._file + 1, 0
            for number in self._files():
                if number <= self._file - FILES:
                    os.remove("%s/%d" % (self._folder, number))
        text = json.dumps(entry).encode()
        with open("%s/%d" % (self._folder, self._file), "ab") as file:
            file.write(b"%08x " % binascii.crc32(text) + text + b"\n")
        self._lines += 1

    def _read(self, number: int) -> "list[Any]":
        """Return the valid lines of a file."""
        lines = []
        try:
            with open("%s/%d" % (self._folder, number), "rb") as file:
                for line in file:
                    text = line[9:-1]
                    if line[:8] == b"%08x" % binascii.crc32(text):
                        lines.append(json.loads(text))
        except (OSError, ValueError):
            pass  # unreadable lines are not returned
        return lines

    def _files(self) -> list[int]:
        try:
            return sorted(int(name) for name in os.listdir(self._folder) if name.isdigit())
        except OSError:
            return []


def _about(kind: str, details: object) -> str:
    """Return the subject of an event: its kind, and `what` or its first key. A change of the authority must not hide the event
    of a broker that is not trusted, which has the same kind.
    """
    if not isinstance(details, dict) or not details:
        return kind
    return "%s %s" % (kind, details.get("what") or min(details))
