"""The mobile signal of a charge point over time. Each reading is weighted by the time that it represents. Pure.

The store has single readings for a day, averages of five minutes for a month, and hourly averages for longer, and a unit that
charges sends five times as many readings as an idle one. Counting readings would therefore be wrong: a reading, or an average
of five minutes, represents the time until the next one. If the next one is more than `HOLD_MS` later, it represents five
minutes. For an hour, the store has the time that its readings represent (store/signal_averages.py).
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.values import PASS_ABOVE_CSQ

FIVE_MINUTES_MS = 5 * MINUTE_MS
HOLD_MS = 30 * MINUTE_MS  # a later reading is no evidence about the time before it: contact.SILENT_AFTER_MS


class Reading(NamedTuple):
    """One reading, or the average of one network's readings in the five minutes from `at_ms`."""

    at_ms: int
    csq: float
    operator: str  # PLMN digits; empty if the modem did not report it
    lowest: int
    highest: int
    samples: int


class SignalPoint(NamedTuple):
    """The signal from `at_ms` to `until_ms`; `lasting_ms` of that time was on this network."""

    at_ms: int
    until_ms: int
    lasting_ms: float
    csq: float
    operator: str
    lowest: int
    highest: int


class Network(NamedTuple):
    """One mobile network that the unit used."""

    operator: str  # PLMN digits; empty if the modem did not report it
    share: float  # of the measured time, 0 to 1
    average_csq: float  # weighted by time


class SignalSummary(NamedTuple):
    """Figures about a span of time. CSQ is in whole numbers, as the limits are."""

    measured_ms: float
    typical_csq: int | None  # the median over time; None without readings
    weakest_csq: int | None  # of single readings
    latest_csq: int | None
    weak_share: float  # share of the measured time at PASS_ABOVE_CSQ or below, 0 to 1
    networks: list[Network]  # the most used first


def by_five_minutes(readings: Iterable[Reading]) -> list[Reading]:
    """Return the averages of each five minutes and network, as store/signal_averages.py calculates them. The readings have to
    be ordered oldest first."""
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
    """Return the readings with the time that each represents. They have to be ordered oldest first, and all before `to_ms`.
    Networks in the same five minutes share that time by their number of samples."""
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
    """Return the end of the time that each reading represents. The times are distinct, ordered oldest first, and all before
    `to_ms`."""
    ends = []
    for index, begin_ms in enumerate(at_ms):
        is_newest = index + 1 == len(at_ms)
        end_ms = to_ms if is_newest else at_ms[index + 1]
        if is_newest or end_ms - begin_ms > HOLD_MS:
            end_ms = min(end_ms, begin_ms + FIVE_MINUTES_MS)
        ends.append(end_ms)
    return ends


def summary(points: Sequence[SignalPoint]) -> SignalSummary:
    """Summarise points that are ordered oldest first."""
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
    """Return True if an installer's measurement with this result would fail, judged by the whole number that people see."""
    return round(csq) <= PASS_ABOVE_CSQ


def _median(points: Sequence[SignalPoint]) -> int | None:
    """Return the median: for half of the measured time, CSQ was at most this."""
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
