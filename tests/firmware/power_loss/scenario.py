"""The scenario of the power cuts: the unit stores records, sends some, runs out of room, restarts and continues.

With each record it also stores a value, which replaces the previous one, as the checkpoint does.
"""

import os

import vfs

from firmware.boards.board import PROGRAM_BYTES
from firmware.storage import outbox, record_file
from firmware.storage.outbox import Outbox
from tests.firmware.power_loss.chip import Chip

FOLDER = "/cut"
VALUE = FOLDER + "/value"

outbox.RECORDS_MAX = 30  # so that a short scenario runs out of room

# Kind, number of records to store, number of records to send.
STEPS = (("event", 1, 1), ("event", 6, 2), ("session", 2, 0), ("event", 9, 12), ("result", 3, 1), ("event", 30, 5))


class NotingOutbox(Outbox):
    """Records in `history` when a record may be removed."""

    def __init__(self, chip, history):
        self._chip, self._history = chip, history
        super().__init__(FOLDER + "/outbox")

    def _remove(self, name):
        self._history.append((len(self._chip.log), "gone", (int(name[1:9], 16), int(name[9:], 16))))
        super()._remove(name)


def mount(chip):
    """Mount the littlefs of `chip`. Format it if there is none."""
    try:
        vfs.umount(FOLDER)
    except OSError:
        pass
    try:
        vfs.mount(vfs.VfsLfs2(chip, progsize=PROGRAM_BYTES), FOLDER)
    except OSError:
        vfs.VfsLfs2.mkfs(chip)
        vfs.mount(vfs.VfsLfs2(chip, progsize=PROGRAM_BYTES), FOLDER)


def body_of(sequence):
    """Return a unique body for this record; lengths vary."""
    return bytes((32 + sequence % 90,)) * (20 + sequence * 7 % 90)


def play():
    """Run the scenario; return (log of the chip, history). History is (length of the log, what, (boot, sequence)) in order.

    `put`: storing a record begins; `kept`: it is durable; `gone`: it may be removed, because it was sent or there is no room.
    `saving` and `saved` are for the value.
    """
    chip = Chip()
    history = []
    sequence = 0
    for boot in (1, 2):
        mount(chip)
        box = NotingOutbox(chip, history)
        for kind, keep, send in STEPS:
            for _ in range(keep):
                sequence += 1
                history.append((len(chip.log), "put", (boot, sequence)))
                box.put(kind, boot, sequence, body_of(sequence))
                history.append((len(chip.log), "kept", (boot, sequence)))
                history.append((len(chip.log), "saving", sequence))
                record_file.save(VALUE, [sequence, body_of(sequence).decode()])
                history.append((len(chip.log), "saved", sequence))
            for _ in range(send):
                box.remove(box.oldest())
    vfs.umount(FOLDER)
    return chip.log, history


def recover(image):
    """Mount an image; return (the value or None, the names of all records in the order in which they would be sent)."""
    mount(Chip(image))
    value = record_file.load(VALUE)
    box = Outbox(FOLDER + "/outbox")
    names = []
    record = box.oldest()
    while record is not None:
        names.append((record.boot, record.sequence))
        if record.body != body_of(record.sequence):
            raise AssertionError("%r came back with other bytes" % (names[-1],))
        box.remove(record)
        record = box.oldest()
    left = os.listdir(FOLDER + "/outbox")
    if left:
        raise AssertionError("files left: %r" % left)
    return value, names
