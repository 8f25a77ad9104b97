"""Sampling the signal: at least ten readings within half a minute, and a verdict over them."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from modem import signal
from modem.installer.readings import Reading, Sample, Source

SECONDS = 30
SHORTEST_S, LONGEST_S = 10, 3600
EVERY_S = 1.0


class Measurement(NamedTuple):
    """Everything so far."""

    samples: list[Sample]
    latest: Reading
    seconds: int  # that it will take

    @property
    def verdict(self) -> signal.Verdict:
        """Over all samples so far."""
        verdict: signal.Verdict = signal.verdict([sample.csq for sample in self.samples])
        return verdict

    @property
    def at_s(self) -> float:
        """When the latest sample was taken."""
        return self.samples[-1].at_s


def measuring(
    source: Source,
    seconds: int = SECONDS,
    now_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Measurement]:
    """A Measurement after each sample, one a second, for `seconds`; the last one is the result."""
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
