"""What must survive a power cut: the session, the energy, the rest of a delay, the owner's override, latched faults.

Written at once when something begins or ends, else at most every 7 minutes and only if it changed: a unit without a
vehicle writes nothing. The meter's own register holds the energy in between, so a cut costs none of it.
"""

from firmware.storage import record_file

FILE = "/checkpoint"
EVERY_MS = 420000  # with all that a session writes beside it, less than one write in 5 minutes
FIRST_MS = 30000  # after a boot, whatever was written since: a delay gets shorter even if the mains go again and again
AGAIN_MS = 30000  # after a write that the flash refused: each try costs it time, and wear


class Checkpoint:
    """`value` is what was stored last: a dict of plain values, {} on a new unit or a damaged flash."""

    def __init__(self, folder, now_ms):
        self._path = folder + FILE
        stored = record_file.load(self._path)
        self.value = stored if isinstance(stored, dict) else {}
        self._due_ms = now_ms + FIRST_MS
        self._not_before_ms = now_ms
        self.writes = 0

    def number(self, name, default=0):
        """A stored whole number that is not negative, else the default."""
        value = self.value.get(name)
        return value if isinstance(value, int) and value >= 0 else default

    def save(self, now_ms, value, at_once):
        """Store `value` now, or when 7 minutes are over. OSError if the flash refuses it; then again half a minute later."""
        is_due = now_ms >= self._due_ms
        if value == self.value or not (at_once or is_due) or now_ms < self._not_before_ms:
            return
        if is_due:
            self._due_ms = now_ms + EVERY_MS
        try:
            record_file.save(self._path, value)
        except OSError:
            self._due_ms = self._not_before_ms = now_ms + AGAIN_MS
            raise
        self.value = value
        self.writes += 1
