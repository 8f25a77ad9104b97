"""How often the unit has started: with the sequence since boot it names every message for ever."""

from firmware.storage import record_file

FILE = "/boots"


def count(folder):
    """Count this boot and return its number, from 1. A flash that cannot be written gives the last number again."""
    stored = record_file.load(folder + FILE)
    number = stored + 1 if isinstance(stored, int) else 1
    try:
        record_file.save(folder + FILE, number)
    except OSError:
        pass  # told by the heartbeat's `b` standing still; charging does not depend on it
    return number
