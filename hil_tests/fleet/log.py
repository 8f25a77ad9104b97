"""What a process of units writes down, line by line, and how it is read again.

    A unit kind boot sequence has_csq sent_ms last_sent_ms ended_ms is_acknowledged     an attempt to deliver a message
    S at_ms connected unacknowledged                                                    a look at all, once a second
    L unit at_ms took_ms                                                                a login that has succeeded
    C name count                                                                        what else was counted, at the end

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
    """What is added to a monotonic time to have the time since 1970: of several looks at both clocks the quickest, since
    this process may have to wait between one clock and the other."""
    looks = []
    for _ in range(CLOCK_LOOKS):
        before_s, wall_s, after_s = time.monotonic(), time.time(), time.monotonic()
        looks.append((after_s - before_s, wall_s - before_s))
    return min(looks)[1]


class Delivery(NamedTuple):
    """An attempt to deliver a message, as it stands in a log."""

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
        """What names the message."""
        return self.unit_id, self.boot, self.sequence


class Sample(NamedTuple):
    """All units of a process at a moment."""

    at_ms: float
    connected: int
    unacknowledged: int


class LoggedIn(NamedTuple):
    """A connection that was let in; `took_ms` from its first packet of TCP to its SUBACK."""

    unit_id: str
    at_ms: float
    took_ms: float


@dataclass
class Logged:
    """All that the processes of a run wrote down."""

    deliveries: list[Delivery] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    logins: list[LoggedIn] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Log:
    """Writes. `epoch_s` is added to monotonic times."""

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
    """Raises ValueError for a line that no log has."""
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
        raise ValueError(f"{kind!r} begins no line of a log")
