"""The signal chart as an SVG that the server draws: no script, nothing to load, sharp on every screen. Pure.

CSQ upwards from 0 to 31, time to the right. A line breaks where there was no reading; silence is a band behind it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cloud_bridge.contact import Gap
from cloud_bridge.support.evidence import WEAK_CSQ, SignalPoint

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 36, 24, 12, 34  # room for the labels
MAX_CSQ = 31
MAX_POINTS = 400  # more than a screen has columns for; neighbours are averaged
BREAK_MS = 45 * 60 * 1000  # without a reading for as long, the line ends
HOUR_MS = 3_600_000


class Tick(NamedTuple):
    at: float  # along the axis
    label: str


class Chart(NamedTuple):
    lines: list[str]  # points of polylines
    dots: list[tuple[float, float]]  # readings that stand alone
    bands: list[tuple[float, float]]  # of silence: from, width
    pass_line: float  # readings have to be above it
    x_ticks: list[Tick]
    y_ticks: list[Tick]


def signal_chart(
    points: Sequence[SignalPoint], silences: Sequence[Gap], from_ms: int, to_ms: int, time_zone: str
) -> Chart:
    def x(at_ms: int) -> float:
        return round(LEFT + (at_ms - from_ms) / (to_ms - from_ms) * (WIDTH - LEFT - RIGHT), 1)

    def y(csq: float) -> float:
        return round(HEIGHT - BOTTOM - csq / MAX_CSQ * (HEIGHT - TOP - BOTTOM), 1)

    runs = _runs(thinned(points), (to_ms - from_ms) // MAX_POINTS)
    bands = [(max(from_ms, gap.from_ms), min(to_ms, gap.to_ms)) for gap in silences]
    return Chart(
        lines=[" ".join(f"{x(point.at_ms)},{y(point.csq)}" for point in run) for run in runs if len(run) > 1],
        dots=[(x(run[0].at_ms), y(run[0].csq)) for run in runs if len(run) == 1],
        bands=[(x(begin_ms), max(2.0, round(x(end_ms) - x(begin_ms), 1))) for begin_ms, end_ms in bands],
        pass_line=y(WEAK_CSQ + 0.5),
        x_ticks=[Tick(x(at_ms), label) for at_ms, label in time_ticks(from_ms, to_ms, time_zone)],
        y_ticks=[Tick(y(csq), str(csq)) for csq in (0, 10, 20, 31)],
    )


def thinned(points: Sequence[SignalPoint]) -> list[SignalPoint]:
    """At most MAX_POINTS, each the average of its neighbours."""
    size = -(-len(points) // MAX_POINTS) or 1
    return [_average(points[at : at + size]) for at in range(0, len(points), size)]


def time_ticks(from_ms: int, to_ms: int, time_zone: str) -> list[tuple[int, str]]:
    """Every fourth hour of a day, each day of a week, each fifth of a month; midnight is the site's."""
    zone = ZoneInfo(time_zone)
    hours = (to_ms - from_ms) / HOUR_MS
    step = timedelta(hours=4) if hours <= 48 else timedelta(days=1 if hours <= 8 * 24 else 5)
    local = datetime.fromtimestamp(from_ms / 1000, UTC).astimezone(zone).replace(tzinfo=None)
    at = local.replace(hour=0, minute=0, second=0, microsecond=0)
    ticks: list[tuple[int, str]] = []
    while True:
        at_ms = int(at.replace(tzinfo=zone).timestamp() * 1000)
        if at_ms > to_ms:
            return ticks
        if at_ms >= from_ms:
            ticks.append((at_ms, _label(at, hours)))
        at += step


def _label(at: datetime, hours: float) -> str:
    if hours <= 48:
        return f"{at:%H:%M}"
    return f"{at:%a}" if hours <= 8 * 24 else f"{at.day} {at:%b}"


def _average(points: Sequence[SignalPoint]) -> SignalPoint:
    middle = points[len(points) // 2]
    return middle._replace(csq=sum(point.csq for point in points) / len(points))


def _runs(points: Sequence[SignalPoint], spacing_ms: int) -> list[list[SignalPoint]]:
    runs: list[list[SignalPoint]] = []
    for point in points:
        if runs and point.at_ms - runs[-1][-1].at_ms <= max(BREAK_MS, 2 * spacing_ms):
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs
