"""A queue of records in small files on a littlefs: append at one end, take away at the other.

A file (a segment) holds records one after another: length, CRC, bytes. A record is durable once `append` has returned,
because closing a file is littlefs's commit. Nothing is ever rewritten: a segment whose records have all been taken is
removed as a whole, so what was taken out of a segment that is still there comes back after a restart, and whoever
takes records must know one that it has seen. After a restart, and after an error, a new segment is begun: what an old
one holds behind its last whole record is never built upon.

Memory does not grow with the backlog: of what is stored only the oldest record is held.
"""

import binascii
import os
import struct

HEADER = ">HI"  # length of the record, CRC-32 of the record
HEADER_BYTES = 6
SEGMENT_BYTES = 2000  # a begun segment takes a block of 4,096; less to copy than a full block for each append
RECORD_MAX = 1024  # bytes


class Segments:
    """The segments of one kind: `letter` and a number name each file in `folder`. For one thread."""

    def __init__(self, folder, letter):
        self._path = folder + "/" + letter + "%08d"
        ours = [name for name in os.listdir(folder) if name[0] == letter and name[1:].isdigit()]
        self._numbers = sorted(int(name[1:]) for name in ours)
        self._next = self._numbers[-1] + 1 if self._numbers else 0
        self._open_bytes = SEGMENT_BYTES  # length of the last segment; a full one is not appended to
        self._at = 0  # where the oldest record begins in the first segment
        self._oldest: bytes | None = None
        self.damaged = 0  # segments whose rest could not be read
        self._find_oldest()

    def count(self):
        """How many segments there are."""
        return len(self._numbers)

    def grows(self, record):
        """Whether appending `record` begins a segment."""
        return self._open_bytes + HEADER_BYTES + len(record) > SEGMENT_BYTES

    def append(self, record):
        """Durable when it returns. OSError if the flash is full or worn out; nothing of it is then left behind."""
        if not 0 < len(record) <= RECORD_MAX:
            raise ValueError("a record has 1 to %d bytes" % RECORD_MAX)
        if self.grows(record):
            self._numbers.append(self._next)
            self._next += 1
            self._open_bytes = 0
        stored = struct.pack(HEADER, len(record), binascii.crc32(record)) + record
        try:
            with open(self._path % self._numbers[-1], "ab") as file:
                file.write(stored)
        except OSError:
            self._give_up_segment()
            raise
        self._open_bytes += len(stored)
        if self._oldest is None:
            self._find_oldest()

    def oldest(self):
        """The oldest record, or None."""
        return self._oldest

    def take(self):
        """The oldest record has done its work."""
        if self._oldest is not None:
            self._at += HEADER_BYTES + len(self._oldest)
            self._find_oldest()

    def drop_segment(self):
        """Give up the oldest segment; return how many records went with it."""
        number, lost = self._numbers[0], 0
        while self._numbers and self._numbers[0] == number:
            self.take()
            lost += 1
        return lost

    def _find_oldest(self):
        """Read the record at `_at`, going on to the next segment where this one ends."""
        self._oldest = None
        while self._numbers and self._oldest is None:
            self._oldest = self._read(self._at)
            if self._oldest is None:
                self._remove_first()

    def _read(self, at):
        """The record at `at` of the first segment; None at its end, or where it is damaged."""
        try:
            with open(self._path % self._numbers[0], "rb") as file:
                file.seek(at)
                header = file.read(HEADER_BYTES)
                if not header:
                    return None
                length, crc = struct.unpack(HEADER, header)
                record = file.read(length)
                if 0 < length <= RECORD_MAX and len(record) == length and binascii.crc32(record) == crc:
                    return record
        except (OSError, ValueError):  # ValueError: half a header
            pass
        self.damaged += 1
        return None

    def _remove_first(self):
        if len(self._numbers) == 1:
            self._open_bytes = SEGMENT_BYTES
        number = self._numbers.pop(0)
        self._at = 0
        try:
            os.remove(self._path % number)
        except OSError:
            pass  # a flash that takes no writes: its records come again after a restart, and are known

    def _give_up_segment(self):
        """The last segment could not be written: append to it no more, and forget it if it holds nothing."""
        if self._open_bytes == 0:
            self._numbers.pop()
        self._open_bytes = SEGMENT_BYTES
