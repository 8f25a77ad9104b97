"""Samples the signal once a second, by default for half a minute, and gives the verdict on the samples."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from modem import signal
from modem.installer.readings import Reading, Sample, Source

SECONDS = 30
SHORTEST_S, LONGEST_S = 10, 3600
EVERY_S = 1.0


class Measurement(NamedTuple):
    """The samples so far, and the latest reading."""

    samples: list[Sample]
    latest: Reading
    seconds: int  # planned duration of the whole measurement

    @property
    def verdict(self) -> signal.Verdict:
        """The verdict on the samples so far."""
        return signal.verdict([sample.csq for sample in self.samples])

    @property
    def at_s(self) -> float:
        """Time of the latest sample, in seconds since the start."""
        return self.samples[-1].at_s


def measuring(
    source: Source,
    seconds: int = SECONDS,
    now_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Measurement]:
    """Yield a Measurement after each sample, one per second, for `seconds`; the last one is the result.

    Raises CannotTalk if `source` does.
    """
    samples: list[Sample] = []
    start_s = now_s()
    while True:
        reading = source.reading()
        at_s = now_s() - start_s
        samples.append(Sample(round(at_s, 1), reading.csq))
        yield Measurement(samples, reading, seconds)
        next_s = len(samples) * EVERY_S
        if next_s > seconds - EVERY_S / 2:
            return
        sleep(max(0.0, start_s + next_s - now_s()))
