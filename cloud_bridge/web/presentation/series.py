"""Signal, reachability and energy in equal steps of time: the rows of the tables that static/charts.js draws. Pure.

A table has at most about 200 rows for any span, because a screen has no room for more columns.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

from cloud_bridge.contact import Gap, outage_ms
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.support.running_session import PowerReading
from cloud_bridge.support.signal import SignalPoint, stand_until_ms
from cloud_bridge.time_zones import local_time
from cloud_bridge.web.presentation.words import operator_name
from cloud_bridge.words import gettext as _

STEPS_MS = tuple(step * MINUTE_MS for step in (1, 5, 10, 60, 120, 240, 720, 1440))
MAX_STEPS = 200
SHORT_MS = 3 * HOUR_MS  # spans up to this are divided into quarter-hours, because whole hours would be too few
QUARTER_MS = 15 * MINUTE_MS  # every UTC offset in use is a multiple of this


Point = TypeVar("Point")


class Signal(NamedTuple):
    """The readings of one step, or of its part before or after a silence."""

    from_ms: int
    to_ms: int  # end of the readings' validity; nothing is known between it and the next step's start
    lowest: float
    mean: float
    highest: float
    networks: str


class Power(NamedTuple):
    """The mean power of one step."""

    from_ms: int
    to_ms: int  # end of the readings' validity, as in `Signal`
    kilowatts: float


class Slot(NamedTuple):
    """A quarter-hour, an hour or a day of local time. The first and last slots of a span may be shorter."""

    from_ms: int
    to_ms: int


class Spent(NamedTuple):
    """The energy of a session, and its time. The unit does not report how the energy was distributed, so it is spread
    evenly."""

    from_ms: int
    to_ms: int
    energy_wh: int


class Reach(NamedTuple):
    """One slot: how long the service was listening, and how long the unit was silent during that time."""

    slot: Slot
    heard_ms: int
    silent_ms: int

    @property
    def share(self) -> float | None:
        """Share of the time in which the unit could be reached, 0 to 1; None if the service was not listening at all."""
        return 1 - self.silent_ms / self.heard_ms if self.heard_ms > 0 else None


def signal_steps(points: Sequence[SignalPoint], silences: Sequence[Gap], from_ms: int, to_ms: int) -> list[Signal]:
    """Return the steps, newest first. Readings inside a silence are left out. A pause shorter than half a step would be
    invisible, so it does not end a step."""
    spans = [(*_outside(point, silences), point) for point in points]
    return [_signal(*step) for step in reversed(_steps(spans, from_ms, to_ms))]


def power_steps(readings: Sequence[PowerReading], from_ms: int, to_ms: int) -> list[Power]:
    """Return the steps, newest first, for readings that are ordered oldest first. There is no step where the power is
    unknown."""
    ends_ms = stand_until_ms([one.at_ms for one in readings], to_ms)
    spans = [
        (one.at_ms, end_ms, (end_ms - one.at_ms, one.watts)) for one, end_ms in zip(readings, ends_ms, strict=True)
    ]
    return [
        Power(begin_ms, end_ms, sum(ms * watts for ms, watts in inside) / sum(ms for ms, _ in inside) / 1000)
        for begin_ms, end_ms, inside in reversed(_steps(spans, from_ms, to_ms))
    ]


def _steps(spans: Sequence[tuple[int, int, Point]], from_ms: int, to_ms: int) -> list[tuple[int, int, list[Point]]]:
    """Group the points by step of time, with the begin and end of each group. A step ends at a pause that is wide enough to be
    visible."""
    enough = (step_ms for step_ms in STEPS_MS if (to_ms - from_ms) / step_ms <= MAX_STEPS)
    step_ms = next(enough, STEPS_MS[-1])
    steps: list[tuple[int, int, list[Point]]] = []
    for begin_ms, end_ms, point in spans:
        if steps and begin_ms - steps[-1][1] < step_ms / 2:
            first_ms, last_ms, inside = steps[-1]
            if first_ms // step_ms == begin_ms // step_ms:
                steps[-1] = (first_ms, max(last_ms, end_ms), [*inside, point])
                continue
            steps[-1] = (first_ms, begin_ms, inside)
        steps.append((begin_ms, end_ms, [point]))
    return steps


def _outside(point: SignalPoint, silences: Sequence[Gap]) -> tuple[int, int]:
    """Return the time span of a point, without its part inside a silence: an average covers five whole minutes."""
    begin_ms, end_ms = point.at_ms, point.until_ms
    for silence in silences:
        if begin_ms <= silence.from_ms < end_ms:
            end_ms = silence.from_ms
        elif silence.from_ms < begin_ms < silence.to_ms:
            begin_ms = silence.to_ms
    return begin_ms, max(begin_ms, end_ms)


def _signal(from_ms: int, to_ms: int, inside: Sequence[SignalPoint]) -> Signal:
    return Signal(
        from_ms,
        to_ms,
        min(point.lowest for point in inside),
        sum(point.csq * point.lasting_ms for point in inside) / sum(point.lasting_ms for point in inside),
        max(point.highest for point in inside),
        ", ".join(sorted({operator_name(point.operator) or _("not said") for point in inside})),
    )


def slots(from_ms: int, to_ms: int, time_zone: str) -> list[Slot]:
    """Divide a span into quarter-hours, hours (up to a day) or days, oldest first. The day on which the clocks go back has 25
    hours."""
    if to_ms - from_ms <= SHORT_MS:
        first_ms = (from_ms // QUARTER_MS + 1) * QUARTER_MS
        quarters = list(range(first_ms, to_ms, QUARTER_MS))
        return [Slot(*pair) for pair in zip([from_ms, *quarters], [*quarters, to_ms], strict=True)]
    at = local_time(from_ms, time_zone).replace(minute=0, second=0, microsecond=0)
    bounds = []
    while (at := _next(at, by_hour=to_ms - from_ms <= DAY_MS)).timestamp() * 1000 < to_ms:
        bounds.append(int(at.timestamp() * 1000))
    return [Slot(*pair) for pair in zip([from_ms, *bounds], [*bounds, to_ms], strict=True)]


def reaches(found: Sequence[Slot], silences: Sequence[Gap], ours: Sequence[Gap], since_ms: int) -> list[Reach]:
    """Return the reachability in each slot from `since_ms` on. `silences` do not include the service's outages
    (support.evidence); `ours` are these outages."""
    return [
        Reach(slot, slot.to_ms - begin_ms - outage_ms(ours, begin_ms, slot.to_ms), outage_ms(silences, *slot))
        for slot in found
        if (begin_ms := max(slot.from_ms, since_ms)) < slot.to_ms
    ]


def silent_by_hour(silences: Sequence[Gap], time_zone: str) -> list[int]:
    """Return the milliseconds of silence in each hour of the local day, from midnight, over all days. A pattern shows: a unit
    that is always silent at six has a cause at six."""
    hours = [0] * 24
    for begin_ms, end_ms in silences:
        while begin_ms < end_ms:
            upto_ms = min(end_ms, (begin_ms // HOUR_MS + 1) * HOUR_MS)
            hours[local_time(begin_ms, time_zone).hour] += upto_ms - begin_ms
            begin_ms = upto_ms
    return hours


def spent_wh(slot: Slot, sessions: Sequence[Spent]) -> float:
    return sum(session.energy_wh * _share(session, slot) for session in sessions)


def _share(session: Spent, slot: Slot) -> float:
    """Return how much of the session is in the slot, 0 to 1."""
    if session.to_ms <= session.from_ms:
        return float(slot.from_ms <= session.to_ms < slot.to_ms)
    inside_ms = min(session.to_ms, slot.to_ms) - max(session.from_ms, slot.from_ms)
    return max(0, inside_ms) / (session.to_ms - session.from_ms)


def _next(at: datetime, by_hour: bool) -> datetime:
    """Return the next whole hour or midnight of local time."""
    if by_hour:
        return (at.astimezone(UTC) + timedelta(hours=1)).astimezone(at.tzinfo)
    return at.replace(hour=0) + timedelta(days=1)
