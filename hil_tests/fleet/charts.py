"""Line charts as hand-written SVG: one file without scripts, for any browser. Pure."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 900, 220
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 34, 30
COLOURS = ("#0072b2", "#d55e00", "#009e73")  # distinguishable for colour-blind readers (Okabe and Ito)
TICKS = 5
STEPS_OF_TEN = (1, 2, 2.5, 5, 10)


class Line(NamedTuple):
    """One value for each second, or other step; None where there is none."""

    name: str
    values: Sequence[float | None]


class Chart(NamedTuple):
    """Lines over the seconds of a run, or other steps. `marks` are (time, label) of events."""

    title: str
    unit: str
    lines: Sequence[Line]
    marks: Sequence[tuple[float, str]] = ()
    steps: str = "s"


def svg(chart: Chart) -> str:
    """Return the chart as an HTML element."""
    seconds = max(1, *(len(line.values) - 1 for line in chart.lines))
    top = _round_up(max((value for line in chart.lines for value in line.values if value is not None), default=0.0))

    def x(at_s: float) -> float:
        return LEFT + at_s / seconds * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">',
        f'<text x="{LEFT}" y="16" class="title">{escape(chart.title)}, {escape(chart.unit)}</text>',
    ]
    for tick in range(TICKS + 1):
        value, at_s = top * tick / TICKS, seconds * tick / TICKS
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{_figure(value)}</text>')
        parts.append(f'<text x="{x(at_s):.1f}" y="{HEIGHT - 10}" text-anchor="middle">{at_s:.0f} {chart.steps}</text>')
    for at_s, name in chart.marks:
        place = f'x1="{x(at_s):.1f}" x2="{x(at_s):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"'
        parts.append(f'<line {place} class="mark"><title>{escape(name)}, {at_s:.0f} {chart.steps}</title></line>')
    for line, colour in zip(chart.lines, COLOURS, strict=False):
        for piece in _pieces(line.values):
            drawn = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in piece)
            parts.append(f'<polyline points="{drawn}" stroke="{colour}"/>')
    parts += _legend(chart.lines)
    return "".join([*parts, "</svg>"])


def _pieces(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Return the runs of values between gaps, with their seconds. A single value is doubled, so that it is drawn as a dot."""
    pieces: list[list[tuple[int, float]]] = [[]]
    for at, value in enumerate(values):
        if value is not None:
            pieces[-1].append((at, value))
        elif pieces[-1]:
            pieces.append([])
    return [piece if len(piece) > 1 else 2 * piece for piece in pieces if piece]


def _legend(lines: Sequence[Line]) -> list[str]:
    if len(lines) == 1:
        return []
    right = WIDTH - RIGHT
    return [
        f'<text x="{right - 90 * (len(lines) - 1 - at)}" y="16" text-anchor="end" fill="{colour}">{escape(line.name)}</text>'
        for at, (line, colour) in enumerate(zip(lines, COLOURS, strict=False))
    ]


def _round_up(value: float) -> float:
    """Return the next round number, for the top of an axis."""
    if value <= 0:
        return 1.0
    ten = 1.0
    while ten * 10 <= value:
        ten *= 10
    while ten > value:
        ten /= 10
    return next(step * ten for step in STEPS_OF_TEN if step * ten >= value)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"
