"""`micropython update.py [EVERY | CUT=n]`: cut the power at every (or every EVERY-th) flash change of an update.

The scenario: download, verification, flip, trial, a second update into the other slot, and three resets that undo it. After
each cut, the starter must choose a complete version that may run at that point, every durable record must exist, and the unit
with its cloud must complete the commanded update.
"""

import gc
import sys

import vfs

from firmware.boards.stock import starter
from firmware.storage.outbox import Outbox
from firmware.update import slots, updates
from tests.firmware.power_loss.chip import Chip, leftovers
from tests.firmware.power_loss.scenario import FOLDER, mount
from tests.firmware.update import golden
from tests.firmware.update.scene import Cloud, FakeUnit, begin, go_on, trust

FIRST = {"v": golden.VERSION, "h": golden.HASH, "m": len(golden.MANIFEST), "r": True}
LATER = {"v": golden.LATER_VERSION, "h": golden.LATER_HASH, "m": len(golden.LATER_MANIFEST), "r": True}


def cloud_of(order):
    if order is FIRST:
        return Cloud(golden.MANIFEST, golden.IMAGE, golden.DIGEST)
    return Cloud(golden.LATER_MANIFEST, golden.LATER_IMAGE, golden.LATER_DIGEST)


class RecordingUnit(FakeUnit):
    """A unit that stores its events in a real outbox. `kept` has (length of the log, sequence) of each durable event."""

    def __init__(self, chip):
        super().__init__(FOLDER)
        self._chip = chip
        self.outbox = Outbox(FOLDER + "/outbox")
        self.kept = []

    def note(self, kind, details):
        super().note(kind, details)
        self.outbox.put("event", 1, self.next_sequence(), repr(details).encode())
        self.kept.append((len(self._chip.log), self.sequence))


def play():
    """Run the scenario; return (log of the chip, stored records, spans). A span is (start, end, slots that may run,
    commanded update)."""
    chip = Chip()
    mount(chip)
    unit = RecordingUnit(chip)
    unit.note("update", {"v": "", "r": "before", "w": None})
    spans = []

    def do(what, may_run, order, then):
        begun = len(chip.log)
        then()
        spans.append((begun, len(chip.log), may_run, order))
        if len(chip.log) == begun:
            raise RuntimeError("nothing was written: " + what)

    def start(cause):
        starter.started = starter.choose(FOLDER, cause)
        begin(unit, None, starter.started).poll()

    def install(order):
        begin(unit, order, starter.started)
        if not go_on(unit, cloud_of(order)):
            raise RuntimeError("not installed: %r" % unit.told)

    def after(event):
        slots.save(FOLDER, slots.after(slots.load(FOLDER), event, "1.0.0"))

    do("download and flip", ("built_in", "a"), FIRST, lambda: install(FIRST))
    do("first start", ("a",), None, lambda: start("soft"))
    do("good", ("a",), None, lambda: after("proved"))
    do("settled", ("a",), None, lambda: after("lived"))
    do("download and flip of the second", ("a", "b"), LATER, lambda: install(LATER))
    do("its first start", ("b",), None, lambda: start("soft"))
    do("first strike", ("b",), None, lambda: start("watchdog"))
    do("second strike", ("b",), None, lambda: start("watchdog"))
    do("back", ("b", "a"), None, lambda: start("watchdog"))
    if starter.started != "a":
        raise RuntimeError(starter.started)
    vfs.umount(FOLDER)
    return chip.log, unit.kept, spans


def wrong(image, kept, spans):
    """Return what is wrong after a cut, or None. `kept` must exist; `spans` are those that the cut interrupted."""
    chip = Chip(image)
    mount(chip)
    found = starter.choose(FOLDER, "power_on")
    if found not in [slot for span in spans for slot in span[2]]:
        return "it starts %s" % found
    if found != "built_in" and not starter.is_whole(FOLDER + "/" + found):
        return "%s is not whole" % found
    unit = RecordingUnit(chip)
    sequences = set()
    while unit.outbox.oldest():
        sequences.add(unit.outbox.oldest().sequence)
        unit.outbox.remove(unit.outbox.oldest())
    if not sequences >= set(kept):
        return "lost records: %r" % (set(kept) - sequences)
    order = spans[0][3] if len(spans) == 1 else None
    if order is None or starter.version(FOLDER + "/" + found) == order["v"]:
        return None
    begin(unit, order, found)
    return None if go_on(unit, cloud_of(order)) else "the update does not come to its end: %r" % unit.told


def main(argument):
    only = int(argument[4:]) if argument.startswith("CUT=") else None
    every = 1 if only is not None else int(argument)
    updates.RESERVE_BYTES = 0
    trust(golden.KEYS)
    log, kept, spans = play()
    cuts = failed = 0
    for number, how, image in leftovers(log):
        if number <= spans[0][0] or (number % every if only is None else number != only):
            continue
        cuts += 1
        durable = number - {"whole": 0, "half": 1, "swapped": 2}[how]
        cut = [span for span in spans if span[0] <= number and span[1] >= durable]
        try:
            why = wrong(image, [sequence for at, sequence in kept if at <= durable], cut)
        except Exception as error:
            why = repr(error)
        if why:
            failed += 1
            print("CUT=%d (%s): %s" % (number, how, why))
        gc.collect()
    print("%d changes on the flash, %d cuts, %d failed" % (len(log), cuts, failed))
    return 1 if failed or not cuts else 0


sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "1"))
