"""How often the unit has started, and how often in a row because the watchdog bit.

With the sequence since boot the number names every message for ever. So a unit whose flash is new, or was wiped, does not
begin at one: the cloud would take what it tells for repeats of what it told in its former life.
"""

from collections import namedtuple

from firmware.storage import record_file

FILE = "/boots"
LOOP = 3  # boots in a row by the watchdog: what is new since the last good one is to blame
FIRST_MAX = 1 << 29  # a drawn number and a few thousand boots are still a small whole number on a 32-bit board

# number: None if the flash does not take it, as the number would come again. watchdogs: in a row, up to this one.
# is_new: nothing was counted before
Boot = namedtuple("Boot", "number watchdogs is_new")


def count(folder, cause, draw):
    """Count this boot, whose reset had `cause`; return the Boot. `draw(lowest, highest)` is random.randint."""
    stored = record_file.load(folder + FILE)
    is_new = not isinstance(stored, list) or len(stored) != 2
    number, watchdogs = (draw(0, FIRST_MAX), 0) if is_new else stored
    number, watchdogs = number + 1, watchdogs + 1 if cause == "watchdog" else 0
    try:
        record_file.save(folder + FILE, [number, watchdogs])
    except OSError:
        number = None  # charging does not depend on it
    return Boot(number, watchdogs, is_new)
