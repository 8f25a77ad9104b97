"""What the unit has to tell and has not been acknowledged: on flash, in order, bounded. A record leaves only by `remove`.

Each record is a file of its own, written once: length, CRC, bytes. Files of this size live inside littlefs's own log of
metadata, which is only appended to: keeping a record or removing one is one commit there, mostly without an erase, and
no record is ever copied because another is added. A longer file that is appended to would be: littlefs copies its last
block, and a cut between that copy and its commit, on a chip that changes their order, costs records that were safe.

The name of a file is the kind's letter, the boot and the sequence; boot and sequence name a record for ever, and the
lowest goes first. Heartbeats never come here: each says all that the one before it said. Memory does not grow with the
backlog: of what is stored only the oldest record is held. Where the flash takes nothing (full, or worn out) a few
records are kept in memory and `flash_failed` tells.
"""

import binascii
import os
import struct
from collections import namedtuple

KINDS = ("result", "event", "session")  # given up in this order when there is no room
RECORDS_MAX = 300  # about 250 kB of flash: months of an ordinary life without a network
BODY_MAX = 480  # bytes; up to 512 a file lives in the metadata (FlashImage mounts with progsize=128)
MEMORY_MAX = 16  # records, while the flash takes none

_HEADER = ">HI"  # length of the body, CRC-32 of the body
_HEADER_BYTES = 6
_NAME = "%s%08x%08x"  # letter of the kind, boot, sequence
_NAME_LETTERS = 17

Record = namedtuple("Record", "kind boot sequence body")


class Outbox:
    """In `folder` of a mounted littlefs, which is made if it is not there. For one thread."""

    def __init__(self, folder):
        self._folder = folder
        try:
            os.mkdir(folder)
        except OSError:
            pass  # there already; if not, every record will say so
        self.flash_failed = False  # the last record could not be stored
        self.dropped = 0  # records given up since boot
        self.damaged = 0  # files that held no whole record; a cut leaves one at most
        self._memory = []
        self._gone = []  # names that the flash did not let us remove; after a restart they come again
        self._stored = sum(1 for _ in self._names())
        self._oldest = None
        self._find_oldest()

    def put(self, kind, boot, sequence, body):
        """Keep `body`. It is durable when this returns, unless `flash_failed` says otherwise."""
        if not 0 < len(body) <= BODY_MAX:
            raise ValueError("a record has 1 to %d bytes" % BODY_MAX)
        record = Record(kind, boot, sequence, body)
        if self._stored >= RECORDS_MAX:
            self._make_room()
        # The second try is for a flash that is full before our own bound, because of something else.
        self.flash_failed = not (self._store(record) or (self._make_room() and self._store(record)))
        if self.flash_failed:
            self._memory.append(record)
            if len(self._memory) > MEMORY_MAX:
                self._memory.pop(0)
                self.dropped += 1

    def oldest(self):
        """The Record that goes next, or None; the same until `remove`, or until it was given up."""
        stored, in_memory = self._oldest, self._memory[0] if self._memory else None
        if stored is None or (in_memory is not None and in_memory[1:3] < stored[1:3]):
            return in_memory
        return stored

    def waiting(self):
        """How many records there are."""
        return self._stored + len(self._memory)

    def remove(self, record):
        """`record`, which `oldest` returned, was acknowledged. Harmless if it has been given up since."""
        if record is self._oldest:
            self._remove(_name(record))
            self._find_oldest()
        elif record in self._memory:
            self._memory.remove(record)

    def _store(self, record):
        """False if the flash does not take it."""
        try:
            with open(self._path(_name(record)), "wb") as file:
                file.write(struct.pack(_HEADER, len(record.body), binascii.crc32(record.body)) + record.body)
        except OSError:
            return False
        self._stored += 1
        if self._oldest is None:
            self._oldest = record
        return True

    def _make_room(self):
        """Give up the oldest record of the first kind that has one. False if there is nothing to give up."""
        for kind in KINDS:
            victim = min((name for name in self._names() if name[0] == kind[0]), default=None)
            if victim is not None:
                self._remove(victim)
                self.dropped += 1
                if self._oldest is not None and victim == _name(self._oldest):
                    self._find_oldest()
                return True
        return False

    def _find_oldest(self):
        self._oldest = None
        while self._oldest is None:
            name = min(self._names(), key=lambda name: name[1:], default=None)
            if name is None:
                return
            self._oldest = self._read(name)
            if self._oldest is None:
                self.damaged += 1
                self._remove(name)

    def _read(self, name):
        """The record of that name, None if it is not whole."""
        try:
            with open(self._path(name), "rb") as file:
                stored = file.read(_HEADER_BYTES + BODY_MAX)
        except OSError:
            return None
        if len(stored) < _HEADER_BYTES:
            return None
        length, crc = struct.unpack(_HEADER, stored[:_HEADER_BYTES])
        body = stored[_HEADER_BYTES:]
        if len(body) != length or binascii.crc32(body) != crc:
            return None
        (kind,) = [kind for kind in KINDS if kind[0] == name[0]]
        return Record(kind, int(name[1:9], 16), int(name[9:], 16), body)

    def _remove(self, name):
        try:
            os.remove(self._path(name))
        except OSError:
            self._gone.append(name)
        self._stored -= 1

    def _names(self):
        """The files of records, in no order."""
        letters = [kind[0] for kind in KINDS]
        for name in _list(self._folder):
            if name[0] in letters and len(name) == _NAME_LETTERS and name not in self._gone:
                yield name

    def _path(self, name):
        return self._folder + "/" + name


def _name(record):
    return _NAME % (record.kind[0], record.boot, record.sequence)


def _list(folder):
    """Names in `folder`, one at a time where the platform can: a list of them all would need room in one piece."""
    try:
        if hasattr(os, "ilistdir"):
            return (entry[0] for entry in os.ilistdir(folder))
        return os.listdir(folder)
    except OSError:
        return ()
