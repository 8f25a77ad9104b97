"""Are there ten readings in half a minute, and is the verdict based on all of them?"""

import itertools

import pytest

from modem import signal
from modem.installer.measuring import SECONDS, SHORTEST_S, Measurement, measuring
from tests.modem.installer.fake import FakeSource


class Clock:
    """A clock that advances while a program sleeps, and by `reading_s` with each reading."""

    def __init__(self, reading_s: float = 0.02) -> None:
        self._reading_s = reading_s
        self.at_s = 100.0

    def now_s(self) -> float:
        self.at_s += self._reading_s
        return self.at_s

    def sleep(self, seconds: float) -> None:
        self.at_s += seconds


def measure(csqs: list[int], seconds: int = SECONDS, clock: Clock | None = None) -> Measurement:
    clock = clock or Clock()
    return list(measuring(FakeSource(csqs), seconds, clock.now_s, clock.sleep))[-1]


@pytest.mark.parametrize("seconds", [SHORTEST_S, SECONDS])
def test_there_is_a_sample_a_second(seconds: int) -> None:
    measurement = measure([20], seconds)
    assert len(measurement.samples) == seconds >= signal.SAMPLES_WANTED
    assert measurement.at_s <= seconds


def test_a_slow_modem_still_gives_ten_in_half_a_minute() -> None:
    clock = Clock(reading_s=1.0)
    measurement = measure([20], SECONDS, clock)
    assert len(measurement.samples) >= signal.SAMPLES_WANTED


@pytest.mark.parametrize(
    ("csqs", "verdict"),
    [([14], "fail"), ([15], "pass"), ([99], "unknown"), ([99] * 20 + [15], "pass"), ([99] * 21 + [15], "unknown")],
)
def test_exactly_14_fails_and_99_is_no_reading(csqs: list[int], verdict: str) -> None:
    assert measure(csqs).verdict.verdict == verdict


def test_each_sample_is_shown_as_it_comes() -> None:
    clock = Clock()
    first = next(iter(itertools.islice(measuring(FakeSource([17]), SECONDS, clock.now_s, clock.sleep), 1)))
    assert [sample.csq for sample in first.samples] == [17]
    assert first.verdict.verdict == signal.UNKNOWN
