"""The messages of a simulated charge point: vehicles come and go, the signal changes, and the journal grows. Pure.

Wire format v1 as the firmware writes it: heartbeats and journal records share one sequence number, counted from boot.
Heartbeats report the current state and are never stored on the unit; records are stored until they are acknowledged.
"""

import json
from collections import deque
from random import Random
from typing import Any, NamedTuple

STATES = ("A1", "B2", "C2", "B2")  # of the pilot, in turn: a vehicle is plugged in, charges, and is unplugged
CHARGING, UNPLUGGED = "C2", "A1"
MAX_RECORDS = 300  # limit of the firmware's outbox, which drops the oldest
CSQ_UNKNOWN = 99
WATTS = 7360
UNKNOWN_CSQ_EACH = 20  # one heartbeat of this many has no signal reading
EVENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("mode", {"to": "smart"}),
    ("network", {"do": "stay", "o": "23415", "why": "signal"}),
    ("tamper", {"open": True}),
    ("tamper", {"open": False}),
)


class Habits(NamedTuple):
    """How often something happens: once in this many heartbeats."""

    change_each: int = 3  # a change of the pilot's state
    event_each: int = 10


class Message(NamedTuple):
    """One message, identified by unit, boot and sequence."""

    kind: str  # heartbeat, event, session
    boot: int
    sequence: int
    payload: bytes
    has_csq: bool = False  # a heartbeat with a signal reading


class ChargePoint:
    """A charge point since its boot, which is the first record of its journal."""

    def __init__(self, boot: int, plmn: str, dice: Random, habits: Habits) -> None:
        self.records: deque[Message] = deque()
        self.given_up = 0  # number of records that were dropped
        self._boot, self._plmn, self._dice, self._habits = boot, plmn, dice, habits
        self._sequence = 0
        self._at = dice.randrange(len(STATES))
        self._csq = dice.randint(5, 31)
        self._total_wh = dice.randrange(1_000_000)
        self._session_from_s: int | None = None
        self._sessions = 0

    def start(self, time_s: int) -> None:
        """Record the boot. If a vehicle is plugged in, begin a session."""
        self._session_from_s = None if STATES[self._at] == UNPLUGGED else time_s
        self._record("event", time_s, k="boot", d={"cause": "power_on", "v": "0.1.0"})

    def live(self, time_s: int) -> None:
        """Simulate what has happened since the last heartbeat."""
        self._csq = min(31, max(1, self._csq + self._dice.randint(-2, 2)))
        if self._dice.randrange(self._habits.change_each) == 0:
            self._change(time_s)
        if self._dice.randrange(self._habits.event_each) == 0:
            kind, details = self._dice.choice(EVENTS)
            self._record("event", time_s, k=kind, d=details)

    def heartbeat(self, time_s: int) -> Message:
        """Return a heartbeat with the current state."""
        state = STATES[self._at]
        is_charging = state == CHARGING
        self._total_wh += 60 if is_charging else 0
        csq = CSQ_UNKNOWN if self._dice.randrange(UNKNOWN_CSQ_EACH) == 0 else self._csq
        said = {"s": state, "m": "smart", "q": csq, "o": self._plmn, "a": 0 if state == UNPLUGGED else 32}
        said |= {"w": WATTS if is_charging else 0, "e": self._total_wh, "f": [], "x": 24}
        return self._message("heartbeat", time_s, said)._replace(has_csq=csq != CSQ_UNKNOWN)

    def _change(self, time_s: int) -> None:
        was, self._at = STATES[self._at], (self._at + 1) % len(STATES)
        state = STATES[self._at]
        if was == UNPLUGGED:
            self._session_from_s = time_s
        elif state == UNPLUGGED and self._session_from_s is not None:
            self._sessions += 1
            lasted_s = max(0, time_s - self._session_from_s)
            energy_wh = lasted_s * WATTS // 3600
            times = {"t0": self._session_from_s, "t1": time_s, "s": lasted_s}
            self._record("session", time_s, **times, e=energy_wh, y="unplugged", i=self._sessions)
            self._session_from_s = None

    def _record(self, kind: str, time_s: int, **keys: Any) -> None:
        self.records.append(self._message(kind, time_s, keys))
        if len(self.records) > MAX_RECORDS:
            self.records.popleft()
            self.given_up += 1

    def _message(self, kind: str, time_s: int, keys: dict[str, Any]) -> Message:
        said = {"n": self._sequence, "b": self._boot, "t": time_s, **keys}
        message = Message(kind, self._boot, self._sequence, json.dumps(said, separators=(",", ":")).encode())
        self._sequence += 1
        return message
