"""What the unit has to tell and has not been acknowledged: on flash, in order, bounded. A record leaves only by `remove`.

Each kind has its own queue of segments, so that one can be given up before another. `boot` and `sequence` name a record
for ever; across the kinds the lowest name goes first. Heartbeats never come here: each says all that the one before it
said.

Where the flash takes nothing (full, or worn out) a few records are kept in memory and `flash_failed` tells.
"""

import os
import struct
from collections import namedtuple

from firmware.storage.segments import Segments

KINDS = ("result", "event", "session")  # given up in this order when there is no room
SEGMENTS_MAX = 40  # a block of 4 kB each, of 256: some 800 events, or a year of sessions beside some events
MEMORY_MAX = 16  # records, while the flash takes none

_NAME = ">II"  # boot, sequence
_NAME_BYTES = 8

Record = namedtuple("Record", "kind boot sequence body")


class Outbox:
    """In `folder` of a mounted littlefs, which is made if it is not there. For one thread."""

    def __init__(self, folder):
        try:
            os.mkdir(folder)
        except OSError:
            pass  # there already; if not, every append will say so
        self._queues = []
        self.flash_failed = False  # the last record could not be stored
        self.dropped = 0  # records given up since boot
        self._memory = []
        try:
            self._queues = [Segments(folder, kind[0]) for kind in KINDS]
        except OSError:
            self.flash_failed = True

    def put(self, kind, boot, sequence, body):
        """Keep `body`. It is durable when this returns, unless `flash_failed` says otherwise."""
        record = struct.pack(_NAME, boot, sequence) + body
        try:
            self._store(KINDS.index(kind), record)
            self.flash_failed = False
        except OSError:
            self.flash_failed = True
            self._memory.append(Record(kind, boot, sequence, body))
            if len(self._memory) > MEMORY_MAX:
                self._memory.pop(0)
                self.dropped += 1

    def oldest(self):
        """The Record that goes next, or None; the same until `remove`, or until there was no room for it any more."""
        found = self._memory[0] if self._memory else None
        for kind, queue in zip(KINDS, self._queues):
            stored = queue.oldest()
            if stored is not None:
                boot, sequence = struct.unpack(_NAME, stored[:_NAME_BYTES])
                if found is None or (boot, sequence) < (found.boot, found.sequence):
                    found = Record(kind, boot, sequence, stored[_NAME_BYTES:])
        return found

    def remove(self, record):
        """`record`, which `oldest` returned, was acknowledged. Harmless if it has been dropped since."""
        oldest = self.oldest()
        if oldest is None or oldest[:3] != record[:3]:
            return
        if self._memory and self._memory[0][:3] == record[:3]:
            self._memory.pop(0)
        else:
            self._queues[KINDS.index(record.kind)].take()

    def damaged(self):
        """Segments whose rest could not be read."""
        return sum(queue.damaged for queue in self._queues)

    def _store(self, rank, record):
        if not self._queues:
            raise OSError("no folder")
        queue = self._queues[rank]
        if queue.grows(record) and sum(each.count() for each in self._queues) >= SEGMENTS_MAX:
            self._make_room()
        try:
            queue.append(record)
        except OSError:  # full before our own bound: something else fills the flash
            if not self._make_room():
                raise
            queue.append(record)

    def _make_room(self):
        """Give up the oldest segment of the first kind that has one. False if there is nothing to give up."""
        for queue in self._queues:
            if queue.count():
                self.dropped += queue.drop_segment()
                return True
        return False
