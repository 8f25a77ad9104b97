"""A charge point's mobile signal over time, each reading weighted by the time it stands for. Pure.

The store keeps single readings for a day, averages of five minutes for a month, and of an hour for longer; and a unit
that charges sends five times as many readings as an idle one. So nothing here counts readings: a reading, or an average
of five minutes, stands for the time until the next one. Where the next one comes later than `HOLD_MS`, it stands for
five minutes. Of an hour it is stored for how much of it readings stood (store/signal_averages.py).
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.values import PASS_ABOVE_CSQ

FIVE_MINUTES_MS = 5 * MINUTE_MS
HOLD_MS = 30 * MINUTE_MS  # a later reading says nothing of the time before it: contact.SILENT_AFTER_MS


class Reading(NamedTuple):
    """One reading, or the average of one network's readings in the five minutes from `at_ms`."""

    at_ms: int
    csq: float
    operator: str  # PLMN digits; empty while the modem did not say
    lowest: int
    highest: int
    samples: int


class SignalPoint(NamedTuple):
    """The signal from `at_ms` until `until_ms`; of that, `lasting_ms` in this network."""

    at_ms: int
    until_ms: int
    lasting_ms: float
    csq: float
    operator: str
    lowest: int
    highest: int


class Network(NamedTuple):
    """One mobile network as the unit saw it."""

    operator: str  # PLMN digits; empty while the modem did not say
    share: float  # of the measured time, 0 to 1
    average_csq: float  # over time


class SignalSummary(NamedTuple):
    """A span of time in figures. CSQ as whole numbers, which are what the limits are about."""

    measured_ms: float
    typical_csq: int | None  # the median over time; None: no reading
    weakest_csq: int | None  # of single readings
    latest_csq: int | None
    weak_share: float  # of the measured time, 0 to 1: at PASS_ABOVE_CSQ or below
    networks: list[Network]  # most used first


def by_five_minutes(readings: Iterable[Reading]) -> list[Reading]:
    """Averages of each five minutes and network, as store/signal_averages.py makes them. The readings come oldest first."""
    made = []
    for from_ms, inside in groupby(readings, lambda one: one.at_ms // FIVE_MINUTES_MS * FIVE_MINUTES_MS):
        by_operator: dict[str, list[Reading]] = {}
        for one in inside:
            by_operator.setdefault(one.operator, []).append(one)
        for operator, ones in sorted(by_operator.items()):
            samples = sum(one.samples for one in ones)
            mean = sum(one.csq * one.samples for one in ones) / samples
            lowest, highest = min(one.lowest for one in ones), max(one.highest for one in ones)
            made.append(Reading(from_ms, mean, operator, lowest, highest, samples))
    return made


def over_time(readings: Iterable[Reading], to_ms: int) -> list[SignalPoint]:
    """The readings, oldest first and all before `to_ms`, with the time that each stands for: none stands for no time.
    Networks that share five minutes share that time by their samples."""
    moments = [list(inside) for _, inside in groupby(readings, lambda one: one.at_ms)]
    ends_ms = stand_until_ms([inside[0].at_ms for inside in moments], to_ms)
    points = []
    for inside, end_ms in zip(moments, ends_ms, strict=True):
        at_ms = inside[0].at_ms
        lasting_ms = end_ms - at_ms
        samples = sum(one.samples for one in inside)
        points += [
            SignalPoint(
                at_ms,
                end_ms,
                lasting_ms * one.samples / samples,
                one.csq,
                one.operator,
                one.lowest,
                one.highest,
            )
            for one in inside
        ]
    return points


def stand_until_ms(at_ms: Sequence[int], to_ms: int) -> list[int]:
    """Until when the readings of these moments stand; the moments are different, oldest first and all before `to_ms`."""
    ends = []
    for index, begin_ms in enumerate(at_ms):
        is_newest = index + 1 == len(at_ms)
        end_ms = to_ms if is_newest else at_ms[index + 1]
        if is_newest or end_ms - begin_ms > HOLD_MS:
            end_ms = min(end_ms, begin_ms + FIVE_MINUTES_MS)
        ends.append(end_ms)
    return ends


def summary(points: Sequence[SignalPoint]) -> SignalSummary:
    """Of points that come oldest first."""
    measured_ms = sum(point.lasting_ms for point in points)
    weak_ms = sum(point.lasting_ms for point in points if is_weak(point.csq))
    return SignalSummary(
        measured_ms=measured_ms,
        typical_csq=_median(points),
        weakest_csq=min((point.lowest for point in points), default=None),
        latest_csq=round(points[-1].csq) if points else None,
        weak_share=weak_ms / measured_ms if measured_ms else 0.0,
        networks=_networks(points),
    )


def is_weak(csq: float) -> bool:
    """Whether an installer's measurement with this result would fail. By the whole number that people read."""
    return round(csq) <= PASS_ABOVE_CSQ


def _median(points: Sequence[SignalPoint]) -> int | None:
    """Half of the measured time was at most this."""
    half_ms = sum(point.lasting_ms for point in points) / 2
    for point in sorted(points, key=lambda point: point.csq):
        half_ms -= point.lasting_ms
        if half_ms <= 0:
            return round(point.csq)
    return None


def _networks(points: Sequence[SignalPoint]) -> list[Network]:
    by_operator: dict[str, list[SignalPoint]] = {}
    for point in points:
        by_operator.setdefault(point.operator, []).append(point)
    found = []
    all_ms = sum(point.lasting_ms for point in points)
    for operator, ones in by_operator.items():
        lasting_ms = sum(one.lasting_ms for one in ones)
        average_csq = sum(one.csq * one.lasting_ms for one in ones) / lasting_ms
        found.append(Network(operator, lasting_ms / all_ms, average_csq))
    return sorted(found, key=lambda network: -network.share)
