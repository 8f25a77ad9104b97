"""`micropython run.py [EVERY | CUT=n]`: cut the power at every (or every EVERY-th) point of the scenario.

After each cut, the outbox must contain every durable record that may not be gone yet, once and in order, and at most two more:
one being stored and one being removed. The stored value must be complete, and be the durable one or the one being written.
"""

import gc
import sys

from tests.firmware.power_loss import scenario
from tests.firmware.power_loss.chip import leftovers


def promises(history, length, begun):
    """Return (records that must exist, records that may exist). `length` changes are on the flash, `begun` were tried."""
    kept = [name for at, what, name in history if what == "kept" and at <= length]
    gone = {name for at, what, name in history if what == "gone" and at <= begun}
    may = {name for at, what, name in history if what == "put" and at <= begun}
    return [name for name in kept if name not in gone], may


def wrong(names, must, may):
    """Return what is wrong with the recovered records, or None."""
    if names != sorted(names):
        return "out of order: %r" % names
    if len(set(names)) != len(names):
        return "twice: %r" % names
    strange = [name for name in names if name not in may]
    if strange:
        return "never kept: %r" % strange
    missing = [name for name in must if name not in names]
    if missing:
        return "lost: %r" % missing
    if len(names) - len(must) > 2:
        return "beside %r there are %r" % (must, names)
    return None


def wrong_value(value, history, length, begun):
    """Return what is wrong with the recovered value, or None."""
    durable = max((number for at, what, number in history if what == "saved" and at <= length), default=0)
    newest = max((number for at, what, number in history if what == "saving" and at <= begun), default=0)
    if value is None:
        return "the value is gone" if durable else None
    number, text = value
    if text != scenario.body_of(number).decode():
        return "the value came back in pieces: %r" % value
    return None if durable <= number <= newest else "the value is of %d, not %d to %d" % (number, durable, newest)


def main(argument):
    only = int(argument[4:]) if argument.startswith("CUT=") else None
    every = 1 if only is not None else int(argument)
    log, history = scenario.play()
    cuts = failed = 0
    for number, how, image in leftovers(log):
        if number % every if only is None else number != only:
            continue
        cuts += 1
        length = number - {"whole": 0, "half": 1, "swapped": 2}[how]
        try:
            value, names = scenario.recover(image)
            why = wrong(names, *promises(history, length, number)) or wrong_value(value, history, length, number)
        except Exception as error:
            why = repr(error)
        if why:
            failed += 1
            print("CUT=%d (%s): %s" % (number, how, why))
        if cuts % 50 == 0:
            gc.collect()
    print("%d changes on the flash, %d cuts, %d failed" % (len(log), cuts, failed))
    return 1 if failed or not cuts else 0


sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "1"))
