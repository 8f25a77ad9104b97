"""State that survives a power cut: session, energy, remaining delay, owner's override, latched faults.

Written immediately on an event, otherwise at most every 7 minutes and only after a change, so a unit without a vehicle writes
nothing. The meter's own register covers the energy between the last checkpoint and a power cut.
"""

from firmware.storage import record_file

if False:  # for mypy alone
    from typing import Any

FILE = "/checkpoint"
EVERY_MS = 420000  # together with the other writes of a session, less than one write in 5 minutes
FIRST_MS = 30000  # after a boot, so that the random delay also elapses during repeated power cuts
AGAIN_MS = 30000  # after a failed write, to limit flash wear


class Checkpoint:
    """`value`: the dict of JSON values that was stored last; {} on a new unit or if damaged. `writes`: since the start."""

    def __init__(self, folder: str, now_ms: int) -> None:
        self._path = folder + FILE
        stored = record_file.load(self._path)
        self.value: dict[str, Any] = stored if isinstance(stored, dict) else {}
        self._due_ms = now_ms + FIRST_MS
        self._not_before_ms = now_ms
        self.writes = 0

    def number(self, name: str, default: int | None = 0) -> "int | Any":
        """Return a stored integer, or `default` if it is missing, negative or not an integer."""
        value = self.value.get(name)
        return value if isinstance(value, int) and value >= 0 else default

    def save(self, now_ms: int, value: "dict[str, Any]", at_once: bool) -> None:
        """Store `value` if it has changed, at once or when EVERY_MS have passed. Raises OSError if the flash fails; after
        that, calls within AGAIN_MS do nothing.
        """
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
