"""The log of a process of units, one line for each entry, and its reader.

    A unit kind boot sequence has_csq sent_ms last_sent_ms ended_ms is_acknowledged     a delivery attempt
    S at_ms connected unacknowledged                                                    a sample, once a second
    L unit at_ms took_ms                                                                a successful login
    C name count                                                                        a counter, at the end

Times are milliseconds since 1970, UTC, with a fraction.
"""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TextIO

from hil_tests.fleet.unit import Attempt

CLOCK_LOOKS = 10


def epoch_s() -> float:
    """Return the offset from monotonic time to the time since 1970, in seconds. It reads both clocks several times and uses
    the fastest pair, because this process may have to wait between the two."""
    looks = []
    for _ in range(CLOCK_LOOKS):
        before_s, wall_s, after_s = time.monotonic(), time.time(), time.monotonic()
        looks.append((after_s - before_s, wall_s - before_s))
    return min(looks)[1]


class Delivery(NamedTuple):
    """An attempt to deliver a message, as logged."""

    unit_id: str
    kind: str
    boot: int
    sequence: int
    has_csq: bool
    sent_ms: float
    last_sent_ms: float
    ended_ms: float
    is_acknowledged: bool

    @property
    def key(self) -> tuple[str, int, int]:
        """The identity of the message."""
        return self.unit_id, self.boot, self.sequence


class Sample(NamedTuple):
    """The state of all units of a process at one time."""

    at_ms: float
    connected: int
    unacknowledged: int


class LoggedIn(NamedTuple):
    """A successful login. `took_ms` is from the first TCP packet to the SUBACK."""

    unit_id: str
    at_ms: float
    took_ms: float


@dataclass
class Logged:
    """The logs of all processes of a run."""

    deliveries: list[Delivery] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    logins: list[LoggedIn] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Log:
    """Writes the log. `epoch_s` is added to monotonic times."""

    def __init__(self, file: TextIO, epoch_s: float) -> None:
        self._file = file
        self.epoch_s = epoch_s

    def attempt(self, unit_id: str, attempt: Attempt) -> None:
        message = attempt.message
        times = (attempt.sent_s, attempt.last_sent_s, attempt.ended_s)
        self._write(
            "A",
            unit_id,
            message.kind,
            message.boot,
            message.sequence,
            int(message.has_csq),
            *(self._ms(one) for one in times),
            int(attempt.is_acknowledged),
        )

    def sample(self, now_s: float, connected: int, unacknowledged: int) -> None:
        self._write("S", self._ms(now_s), connected, unacknowledged)

    def login(self, unit_id: str, now_s: float, took_s: float) -> None:
        self._write("L", unit_id, self._ms(now_s), f"{took_s * 1000:.1f}")

    def counts(self, counts: Counter[str]) -> None:
        for name, count in sorted(counts.items()):
            self._write("C", name, count)

    def _ms(self, monotonic_s: float) -> str:
        return f"{(monotonic_s + self.epoch_s) * 1000:.1f}"

    def _write(self, *words: object) -> None:
        self._file.write("\t".join(str(word) for word in words) + "\n")


def read(files: Iterable[Path]) -> Logged:
    """Read logs. Raises ValueError for an invalid line."""
    found = Logged()
    for file in files:
        with file.open() as lines:
            for line in lines:
                _take(found, line.rstrip("\n").split("\t"))
    return found


def _take(found: Logged, words: list[str]) -> None:
    kind, *rest = words
    if kind == "A":
        unit_id, what, boot, sequence, has_csq, sent, last_sent, ended, acknowledged = rest
        times = float(sent), float(last_sent), float(ended)
        found.deliveries.append(
            Delivery(unit_id, what, int(boot), int(sequence), has_csq == "1", *times, acknowledged == "1")
        )
    elif kind == "S":
        found.samples.append(Sample(float(rest[0]), int(rest[1]), int(rest[2])))
    elif kind == "L":
        found.logins.append(LoggedIn(rest[0], float(rest[1]), float(rest[2])))
    elif kind == "C":
        found.counts[rest[0]] += int(rest[1])
    else:
        raise ValueError(f"unknown kind of line {kind!r}")
