"""Counts the boots, and consecutive watchdog resets.

Boot number and sequence number identify a message permanently. A unit with a new or erased flash therefore starts at a random
number. If it started at 1, the cloud would discard its messages as duplicates.
"""

from collections import namedtuple

from firmware.storage import record_file

if False:  # for mypy alone
    from collections.abc import Callable

FILE = "/boots"
LOOP = 3  # consecutive watchdog resets that count as a boot loop, probably caused by the latest change of settings
FIRST_MAX = 1 << 29  # this plus some thousand boots is a small integer of MicroPython on a 32-bit board

# number: None if it could not be stored, because the next boot would have the same one. watchdogs: consecutive watchdog
# resets, including this one. is_new: no count was stored
Boot = namedtuple("Boot", "number watchdogs is_new")


def count(folder: str, cause: str, draw: "Callable[[int, int], int]") -> Boot:
    """Count this boot and return it. `cause`: of the reset; `draw`: random.randint. Raises nothing."""
    stored = record_file.load(folder + FILE)
    is_new = not isinstance(stored, list) or len(stored) != 2
    number, watchdogs = (draw(0, FIRST_MAX), 0) if is_new else stored
    number, watchdogs = number + 1, watchdogs + 1 if cause == "watchdog" else 0
    try:
        record_file.save(folder + FILE, [number, watchdogs])
    except OSError:
        number = None  # charging does not depend on it
    return Boot(number, watchdogs, is_new)
