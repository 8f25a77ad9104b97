"""The queue of messages that are not acknowledged yet: in flash, ordered, bounded. A record is deleted only by `remove`, or
dropped when the queue is full.

Each record is a file, which is written once: length, CRC, body. littlefs stores files of this size in its metadata log, which
is append-only. Adding or removing a record is one commit, mostly without an erase, and copies no other record. A single longer
file that is appended to would be worse: littlefs copies its last block, and a power cut between copy and commit, on a chip
that reorders them, loses stored records.

A file name consists of the letter of the kind, the boot and the sequence number. The last two identify a record permanently,
and the lowest is sent first. Heartbeats are not queued, because each includes everything that the previous one reported.
Memory use does not grow with the backlog: only the oldest record is in memory. If the flash fails (full, or worn out), a few
records are held in memory and `flash_failed` is set.
"""

import binascii
import errno
import os
import struct
from collections import namedtuple

if False:  # for mypy alone
    from collections.abc import Iterable, Iterator

KINDS = ("result", "event", "session")  # dropped in this order if the queue is full
RECORDS_MAX = 300  # about 250 kB of flash: enough for months of normal operation without a network
BODY_MAX = 480  # bytes; files up to 512 are stored in the metadata (FlashImage mounts with progsize=128)
MEMORY_MAX = 16  # records, while the flash fails
UNREAD_MAX = 4  # unreadable files that are skipped in one search for the oldest
CORRUPT = 84  # LFS_ERR_CORRUPT of littlefs (lfs.h): the content of the file is damaged

_HEADER = ">HI"  # length of the body, CRC-32 of the body
_HEADER_BYTES = 6
_NAME = "%s%08x%08x"  # letter of the kind, boot, sequence
_NAME_LETTERS = 17

Record = namedtuple("Record", "kind boot sequence body")


class Outbox:
    """The queue in `folder` of a mounted littlefs, which is created if needed. For one thread. Counters start at boot."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        try:
            os.mkdir(folder)
        except OSError:
            pass  # it exists; otherwise every `put` fails and sets `flash_failed`
        self.flash_failed = False  # the last record could not be stored
        self.dropped = 0  # records dropped
        self.damaged = 0  # files without a valid record; a power cut leaves at most one
        self._refused = False  # the flash refused the last write temporarily (EAGAIN), although it may have room
        self._memory: list[Record] = []
        self._not_removed: list[str] = []  # names that could not be deleted; after a restart they are sent again
        self._stored = sum(1 for _ in self._names())
        self._oldest: Record | None = None
        self._find_oldest()

    def put(self, kind: str, boot: int, sequence: int, body: bytes) -> None:
        """Queue `body`, 1 to BODY_MAX bytes, durably unless `flash_failed` is set. Raises ValueError for another length."""
        if not 0 < len(body) <= BODY_MAX:
            raise ValueError("a record has 1 to %d bytes" % BODY_MAX)
        record = Record(kind, boot, sequence, body)
        if self._stored >= RECORDS_MAX:
            self._make_room()
        # The second attempt is for a flash that other files have filled before RECORDS_MAX was reached.
        stored = self._store(record) or (not self._refused and self._make_room() and self._store(record))
        self.flash_failed = not stored
        if self.flash_failed:
            self._memory.append(record)
            if len(self._memory) > MEMORY_MAX:
                self._memory.pop(0)
                self.dropped += 1

    def oldest(self) -> Record | None:
        """Return the Record to send next, or None. It stays the same until it is removed or dropped."""
        stored, in_memory = self._oldest, self._memory[0] if self._memory else None
        if stored is None or (in_memory is not None and in_memory[1:3] < stored[1:3]):
            return in_memory
        return stored

    def waiting(self) -> int:
        """Return the number of records."""
        return self._stored + len(self._memory)

    def remove(self, record: Record) -> None:
        """Remove an acknowledged record that `oldest` returned. Does nothing if it has been dropped since."""
        if record is self._oldest:
            self._remove(_name(record))
            self._find_oldest()
        elif record in self._memory:
            self._memory.remove(record)

    def _store(self, record: Record) -> bool:
        """Store a record on the flash. Return False if the flash fails."""
        created = False
        try:
            with open(self._path(_name(record)), "wb") as file:
                created = True
                file.write(struct.pack(_HEADER, len(record.body), binascii.crc32(record.body)) + record.body)
        except OSError as error:
            self._refused = error.args[0] == errno.EAGAIN  # boards/unguarded_flash.py
            if created:
                self._unlink(_name(record))
            return False
        self._stored += 1
        if self._oldest is None:
            self._oldest = record
        return True

    def _make_room(self) -> bool:
        """Drop the oldest record of the first of KINDS that has one. Return False if there is no record."""
        for kind in KINDS:
            victim = min((name for name in self._names() if name[0] == kind[0]), default=None)
            if victim is not None:
                self._remove(victim)
                self.dropped += 1
                if self._oldest is not None and victim == _name(self._oldest):
                    self._find_oldest()
                return True
        return False

    def _find_oldest(self) -> None:
        """Load the oldest record into `_oldest`. Files that cannot be read now are skipped, and tried again at the next
        search. Damaged files are removed.
        """
        self._oldest = None
        unread: list[str] = []
        while self._oldest is None and len(unread) < UNREAD_MAX:
            name = min((name for name in self._names() if name not in unread), key=lambda name: name[1:], default=None)
            if name is None:
                return
            try:
                self._oldest = self._read(name)
            except OSError:
                unread.append(name)
                continue
            if self._oldest is None:
                self.damaged += 1
                self._remove(name)

    def _read(self, name: str) -> Record | None:
        """Return the record of a file, None if it is damaged. Raises OSError if the flash does not read it now."""
        try:
            with open(self._path(name), "rb") as file:
                stored = file.read(_HEADER_BYTES + BODY_MAX)
        except OSError as error:
            if error.args[0] != CORRUPT:
                raise
            return None
        if len(stored) <= _HEADER_BYTES:  # no record is empty; a header of zeros would have the CRC of an empty body
            return None
        length, crc = struct.unpack(_HEADER, stored[:_HEADER_BYTES])
        body = stored[_HEADER_BYTES:]
        if len(body) != length or binascii.crc32(body) != crc:
            return None
        (kind,) = [kind for kind in KINDS if kind[0] == name[0]]
        return Record(kind, int(name[1:9], 16), int(name[9:], 16), body)

    def _remove(self, name: str) -> None:
        self._unlink(name)
        self._stored -= 1

    def _unlink(self, name: str) -> None:
        try:
            os.remove(self._path(name))
        except OSError as error:
            if error.args[0] != errno.ENOENT:
                self._not_removed.append(name)

    def _names(self) -> "Iterator[str]":
        """Yield the file names of all records, unordered."""
        letters = [kind[0] for kind in KINDS]
        for name in _list(self._folder):
            if name[0] in letters and len(name) == _NAME_LETTERS and name not in self._not_removed:
                yield name

    def _path(self, name: str) -> str:
        return self._folder + "/" + name


def _name(record: Record) -> str:
    return _NAME % (record.kind[0], record.boot, record.sequence)


def _list(folder: str) -> "Iterable[str]":
    """Return the names in `folder`, as an iterator if available: a list would need a contiguous block of memory."""
    try:
        if hasattr(os, "ilistdir"):
            return (entry[0] for entry in os.ilistdir(folder))
        return os.listdir(folder)
    except OSError:
        return ()
