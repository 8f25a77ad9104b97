"""How often the unit has started: with the sequence since boot it names every message for ever."""

from firmware.storage import record_file

FILE = "/boots"


def count(folder):
    """Count this boot and return its number, from 1; None if the flash does not take it, as the number would come again."""
    stored = record_file.load(folder + FILE)
    number = stored + 1 if isinstance(stored, int) else 1
    try:
        record_file.save(folder + FILE, number)
    except OSError:
        return None  # charging does not depend on it
    return number
