"""What the charts show, row by row: each chart is a table in words that static/charts.js draws. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.contact import Gap
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.support.evidence import Evidence
from cloud_bridge.time_zones import happens_twice, local_time, which
from cloud_bridge.web.presentation.series import Reach, Signal, Slot, Spent, signal_steps, spent_wh
from cloud_bridge.web.presentation.words import lasting

FEW = 8  # days whose names all fit below a phone's chart


class SignalChart(NamedTuple):
    """CSQ over time, with the silences behind it and the visit that was to help."""

    steps: list[Signal]  # newest first
    silences: list[Gap]
    from_ms: int
    to_ms: int
    visited_ms: int | None


class Bar(NamedTuple):
    """One row and one column."""

    name: str
    tick: str  # the same, short enough to stand below the column
    value: float | None  # None: not known
    said: str


def signal_chart(*times: Evidence) -> SignalChart:
    """Of one time, or of the one before a visit and the one since."""
    first, last = times[0], times[-1]
    points = [point for time in times for point in time.points]
    silences = [gap for time in times for gap in time.gaps]
    visited_ms = last.from_ms if len(times) > 1 else None
    return SignalChart(signal_steps(points, first.from_ms, last.to_ms), silences, first.from_ms, last.to_ms, visited_ms)


def reach_bars(found: Sequence[Reach], time_zone: str) -> list[Bar]:
    """The per cent of each slot in which it could be reached."""
    said = ["we were not listening" if one.share is None else f"{one.share:.1%}" for one in found]
    values = [None if one.share is None else round(one.share * 100, 1) for one in found]
    return _bars([one.slot for one in found], values, said, time_zone)


def energy_bars(slots: Sequence[Slot], sessions: Sequence[Spent], time_zone: str) -> list[Bar]:
    """The kilowatt-hours of each slot."""
    values = [round(spent_wh(slot, sessions) / 1000, 1) for slot in slots]
    return _bars(slots, values, [f"{value:.1f} kWh" for value in values], time_zone)


def hour_bars(silent_ms: Sequence[int]) -> list[Bar]:
    """The minutes of silence in each hour of the day, all days together."""
    return [
        Bar(f"{hour:02d}:00", f"{hour:02d}", ms // 60_000, lasting(ms) if ms else "none")
        for hour, ms in enumerate(silent_ms)
    ]


def _bars(slots: Sequence[Slot], values: Sequence[float | None], said: Sequence[str], time_zone: str) -> list[Bar]:
    names = _names(slots, time_zone)
    return [Bar(*name, value, words) for name, value, words in zip(names, values, said, strict=True)]


def _names(slots: Sequence[Slot], time_zone: str) -> list[tuple[str, str]]:
    """(name, tick) of hours, or of days."""
    begins = [local_time(slot.from_ms, time_zone) for slot in slots]
    if all(slot.to_ms - slot.from_ms <= HOUR_MS for slot in slots):
        told = [which(at, time_zone) for at in begins]
        return [
            (f"{at:%a, %H:%M}{said}", f"{at:%H}{said if happens_twice(at) else ''}")
            for at, said in zip(begins, told, strict=True)
        ]
    return [(f"{at:%a} {at.day} {at:%b}", f"{at:%a}" if len(slots) <= FEW else str(at.day)) for at in begins]
