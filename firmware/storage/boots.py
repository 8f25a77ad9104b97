"""How often the unit has started, and how often in a row because the watchdog bit.

With the sequence since boot the number names every message for ever.
"""

from collections import namedtuple

from firmware.storage import record_file

FILE = "/boots"
LOOP = 3  # boots in a row by the watchdog: what is new since the last good one is to blame

# number: from 1; None if the flash does not take it, as the number would come again. watchdogs: in a row, up to this one
Boot = namedtuple("Boot", "number watchdogs")


def count(folder, cause):
    """Count this boot, whose reset had `cause`; return the Boot."""
    stored = record_file.load(folder + FILE)
    number, watchdogs = stored if isinstance(stored, list) and len(stored) == 2 else (0, 0)
    boot = Boot(number + 1, watchdogs + 1 if cause == "watchdog" else 0)
    try:
        record_file.save(folder + FILE, list(boot))
    except OSError:
        return Boot(None, boot.watchdogs)  # charging does not depend on it
    return boot
