"""`micropython unguarded_run.py`: test a real littlefs on a chip that sometimes refuses to erase; print what is wrong.

Records are stored and removed all the time. No block may be erased for them while the contactor is closed, no durable record
may be lost, and everything must continue after the contactor opens.
"""

import vfs

from firmware.boards.board import PROGRAM_BYTES
from firmware.boards.unguarded_flash import UnguardedFlash
from firmware.storage.outbox import MEMORY_MAX, Outbox
from tests.firmware.power_loss.chip import Chip

ROUNDS = 40
RECORDS = 12  # records in a round, some with the contactor closed: fewer than fit in memory

closed = False
chip = Chip()
flash = UnguardedFlash(chip, lambda: closed)
vfs.VfsLfs2.mkfs(flash)
vfs.mount(vfs.VfsLfs2(flash, progsize=PROGRAM_BYTES), "/flash")
outbox = Outbox("/flash/outbox")
assert RECORDS < MEMORY_MAX
wrong, sequence, due = [], 0, []
for number in range(ROUNDS):
    closed = number % 2 == 1
    before = len(chip.log)
    for _ in range(RECORDS):
        sequence += 1
        outbox.put("event", 1, sequence, b"%d" % sequence + b"x" * (number * 11))
        due.append(sequence)
    if closed and [entry for entry in chip.log[before:] if entry and entry[1] is None]:
        wrong.append("round %d: erased with the contactor closed" % number)
    closed = False
    while due:
        record = outbox.oldest()
        if record is None or record.sequence != due[0]:
            wrong.append("round %d: %r instead of %d" % (number, record and record.sequence, due[0]))
            break
        due.pop(0)
        outbox.remove(record)
    due = []
outbox.put("session", 1, sequence + 1, b"the last")
vfs.umount("/flash")
vfs.mount(vfs.VfsLfs2(Chip(chip.image), progsize=PROGRAM_BYTES), "/flash")
last = Outbox("/flash/outbox").oldest()
if last is None or last.body != b"the last":
    wrong.append("after a restart: %r" % (last,))
if outbox.dropped or outbox.damaged:
    wrong.append("dropped %d, damaged %d" % (outbox.dropped, outbox.damaged))
print("\n".join(wrong) or "well: %d records, %d erases refused" % (sequence, flash.refused))
