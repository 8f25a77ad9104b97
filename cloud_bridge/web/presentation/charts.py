"""The rows of the charts: each chart is a table with words, which static/charts.js draws. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.contact import Gap
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.support.evidence import Evidence
from cloud_bridge.support.running_session import RunningSession
from cloud_bridge.time_zones import happens_twice, local_time, which
from cloud_bridge.web.presentation.series import (
    Power,
    Reach,
    Signal,
    Slot,
    Spent,
    power_steps,
    signal_steps,
    slots,
    spent_wh,
)
from cloud_bridge.web.presentation.words import chart_zone, lasting
from cloud_bridge.words import formats
from cloud_bridge.words import gettext as _

FEW = 8  # days whose weekday names are unambiguous
SHORTEST_MS = HOUR_MS  # shortest time that an axis shows, so that the first minutes do not fill it


class TimeAxis(NamedTuple):
    """The time axis that all charts of a page share."""

    from_ms: int
    to_ms: int
    time_zone: str  # as a browser knows it
    ticks: list[tuple[int, str]]  # time and label; a chart shows those that fit


class SignalChart(NamedTuple):
    """CSQ over time, with the silences and the time of the installer's visit."""

    steps: list[Signal]  # newest first
    silences: list[Gap]
    axis: TimeAxis
    visited_ms: int | None


class Bar(NamedTuple):
    """One row of the table, and its column in the chart."""

    name: str
    tick: str  # the name, short enough for the axis
    value: float | None  # None if unknown
    said: str
    slot: Slot | None = None  # position on the time axis; None on a chart with its own axis


def time_axis(from_ms: int, since_ms: int, to_ms: int, time_zone: str) -> TimeAxis:
    """Return an axis from `from_ms` to `to_ms`. It starts at `since_ms` if nothing is known from before."""
    from_ms = max(from_ms, min(since_ms, to_ms - SHORTEST_MS))
    ticks = _ticks(slots(from_ms, to_ms, time_zone)[1:], time_zone)  # the first slot starts between two ticks
    return TimeAxis(from_ms, to_ms, chart_zone(time_zone), ticks)


def signal_chart(time_zone: str, *times: Evidence) -> SignalChart:
    """Return the chart of one time, or of two: before and since a visit."""
    first, last = times[0], times[-1]
    axis = time_axis(first.from_ms, first.since_ms, last.to_ms, time_zone)
    points = [point for time in times for point in time.points]
    silences = [gap for time in times for gap in time.gaps]
    visited_ms = last.from_ms if len(times) > 1 else None
    return SignalChart(signal_steps(points, silences, axis.from_ms, axis.to_ms), silences, axis, visited_ms)


def power_chart(session: RunningSession, axis: TimeAxis) -> list[Power]:
    """Return the power of a session in progress, newest first, within the axis."""
    shown = [one for one in session.readings if axis.from_ms <= one.at_ms < axis.to_ms]
    return power_steps(shown, axis.from_ms, axis.to_ms)


def reach_bars(found: Sequence[Reach], time_zone: str) -> list[Bar]:
    """Return the percentage of each slot in which the unit could be reached."""
    said = [_("we were not listening") if one.share is None else formats.percent(one.share, 1) for one in found]
    values = [None if one.share is None else round(one.share * 100, 1) for one in found]
    return _bars([one.slot for one in found], values, said, time_zone)


def energy_bars(slots: Sequence[Slot], sessions: Sequence[Spent], time_zone: str) -> list[Bar]:
    """Return the kilowatt-hours of each slot."""
    values = [round(spent_wh(slot, sessions) / 1000, 1) for slot in slots]
    return _bars(slots, values, [f"{formats.number(value, 1)} kWh" for value in values], time_zone)


def hour_bars(silent_ms: Sequence[int]) -> list[Bar]:
    """Return the minutes of silence in each hour of the day, summed over all days."""
    return [
        Bar(f"{hour:02d}:00", f"{hour:02d}", ms // 60_000, lasting(ms) if ms else _("none"))
        for hour, ms in enumerate(silent_ms)
    ]


def _bars(slots: Sequence[Slot], values: Sequence[float | None], said: Sequence[str], time_zone: str) -> list[Bar]:
    labels = [label for _from_ms, label in _ticks(slots, time_zone)]
    names = [_name(slot, time_zone) for slot in slots]
    return [Bar(*row) for row in zip(names, labels, values, said, slots, strict=True)]


def _name(slot: Slot, time_zone: str) -> str:
    at = local_time(slot.from_ms, time_zone)
    if slot.to_ms - slot.from_ms <= HOUR_MS:
        return f"{formats.weekday_time(at)}{which(at, time_zone)}"
    return formats.weekday_day(at)


def _ticks(slots: Sequence[Slot], time_zone: str) -> list[tuple[int, str]]:
    """Return the start of each slot, with the shortest unambiguous label. An hour that occurs twice has its zone."""
    by_day = any(slot.to_ms - slot.from_ms > HOUR_MS for slot in slots)
    found = []
    for from_ms, _to_ms in slots:
        at = local_time(from_ms, time_zone)
        if by_day:
            label = formats.weekday(at) if len(slots) <= FEW else formats.day(at)
        elif at.hour == at.minute == 0:
            label = formats.weekday(at)
        else:
            label = f"{at:%H:%M}{which(at, time_zone) if happens_twice(at) else ''}"
        found.append((from_ms, label))
    return found
