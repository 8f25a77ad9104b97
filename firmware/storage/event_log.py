"""What happened, on the unit itself: the latest events in memory, and those of security on the flash, where nothing ordinary
can push them out (SI 2021/1467, Schedule 1).

The flash holds at least the last 256 events of security, in files of 64 lines; each line has a CRC. A kind is written at most
once a minute, so that a rattling lid wears out no flash; what is left out is counted in the next line of that kind.
"""

import binascii
import json
import os

FOLDER = "/security"
SECURITY = ("tamper", "security", "settings")
LATEST = 32
PER_FILE = 64
FILES = 5  # one of them is being filled
EVERY_MS = 60000


class EventLog:
    def __init__(self, folder):
        self._latest: list = []  # as JSON: the values themselves would take four times the memory
        self.refused = 0
        self._folder = folder + FOLDER
        self._written_ms: dict = {}  # by kind
        self._left_out: dict = {}
        try:
            os.mkdir(self._folder)
        except OSError:
            pass  # there already; a flash that takes nothing shows in `refused`
        files = self._files()
        self._file = files[-1] if files else 0
        self._lines = len(self._read(self._file))

    def put(self, at_ms, time_s, kind, details):
        """Keep one event. One of security that the flash does not take is counted in `refused`."""
        self._latest.append(json.dumps((at_ms, kind, details)))
        if len(self._latest) > LATEST:
            self._latest.pop(0)
        if kind not in SECURITY:
            return
        written_ms = self._written_ms.get(kind)
        if written_ms is not None and at_ms - written_ms < EVERY_MS:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        self._written_ms[kind] = at_ms
        try:
            self._append([time_s, kind, details, self._left_out.pop(kind, 0)])
        except OSError:
            self.refused += 1

    def latest(self):
        """The newest [at_ms, kind, details] since the start, oldest first."""
        return [json.loads(event) for event in self._latest]

    def security(self, count):
        """The latest `count` lines: [epoch seconds or None, kind, details, how many before it were left out]."""
        found: list = []
        for number in reversed(self._files()):
            if len(found) < count:
                found = self._read(number) + found
        return found[-count:]

    def _append(self, entry):
        if self._lines >= PER_FILE:
            self._file, self._lines = self._file + 1, 0
            for number in self._files():
                if number <= self._file - FILES:
                    os.remove("%s/%d" % (self._folder, number))
        text = json.dumps(entry).encode()
        with open("%s/%d" % (self._folder, self._file), "ab") as file:
            file.write(b"%08x " % binascii.crc32(text) + text + b"\n")
        self._lines += 1

    def _read(self, number):
        """The good lines of a file."""
        lines = []
        try:
            with open("%s/%d" % (self._folder, number), "rb") as file:
                for line in file:
                    text = line[9:-1]
                    if line[:8] == b"%08x" % binascii.crc32(text):
                        lines.append(json.loads(text))
        except (OSError, ValueError):
            pass  # what cannot be read is not told
        return lines

    def _files(self):
        try:
            return sorted(int(name) for name in os.listdir(self._folder) if name.isdigit())
        except OSError:
            return []
