"""The log of charging sessions in flash, for more than 12 months (SI 2021/1467, regulation 9).

Records have a fixed length and a CRC. They are appended to files of 128 records; the oldest of 17 files is removed. littlefs
keeps files intact in a power cut. A record with a wrong CRC is skipped. The log holds at least 2,048 sessions: five and a half
a day for a year.
"""

import binascii
import os
import struct
from collections import namedtuple

if False:  # for mypy alone
    from collections.abc import Iterator

FOLDER = "/sessions"
PER_FILE = 128
FILES = 17  # one of them is being filled
_FORM = ">IIIII"
_CRC_BYTES = 4
_BYTES = 24

# start_s: UTC seconds, 0 = time unknown; lasted_s: from plug to unplug; charging_s: with the contactor closed
Stored = namedtuple("Stored", "number start_s lasted_s charging_s energy_wh")


class SessionLog:
    """The log, in `folder`. For one thread."""

    def __init__(self, folder: str) -> None:
        self._folder = folder + FOLDER
        try:
            os.mkdir(self._folder)
        except OSError:
            pass  # it exists; otherwise `append` raises

    def append(self, stored: Stored) -> None:
        """Append a record, and remove files that are too old. Raises OSError if the flash fails."""
        body = struct.pack(_FORM, *stored)
        with open(self._path(stored.number), "ab") as file:
            file.write(body + struct.pack(">I", binascii.crc32(body)))
        self._forget(stored.number // PER_FILE - FILES)

    def read(self, first: int, count: int) -> list[Stored]:
        """Return up to `count` records with numbers from `first`, oldest first."""
        found: list[Stored] = []
        for index in self._files():
            if index < first // PER_FILE:
                continue
            for stored in self._records(index):
                if len(found) == count:
                    return found
                if stored.number >= first:
                    found.append(stored)
        return found

    def last_number(self) -> int:
        """Return the number of the newest record, 0 if there is none."""
        for index in reversed(self._files()):
            numbers: list[int] = [stored.number for stored in self._records(index)]
            if numbers:
                return max(numbers)
        return 0

    def _records(self, index: int) -> "Iterator[Stored]":
        try:
            with open("%s/%d" % (self._folder, index), "rb") as file:
                chunk = file.read(_BYTES)
                while len(chunk) == _BYTES:
                    body, crc = chunk[:-_CRC_BYTES], chunk[-_CRC_BYTES:]
                    if struct.unpack(">I", crc)[0] == binascii.crc32(body):
                        yield Stored(*struct.unpack(_FORM, body))
                    chunk = file.read(_BYTES)
        except OSError:
            pass  # an unreadable file has no records

    def _files(self) -> list[int]:
        try:
            return sorted(int(name) for name in os.listdir(self._folder) if name.isdigit())
        except OSError:
            return []

    def _path(self, number: int) -> str:
        return "%s/%d" % (self._folder, number // PER_FILE)

    def _forget(self, index: int) -> None:
        for old in self._files():
            if old <= index:
                os.remove("%s/%d" % (self._folder, old))
