"""The report of many nights as an HTML page in one file, with a plot of how early misses were announced. Pure."""

from collections.abc import Sequence
from html import escape

from hil_tests.bench.readiness.lived import TOLD_BEFORE_S, Lived
from hil_tests.bench.readiness.nights import Counted, Nights, is_certain

WIDTH, HEIGHT = 900, 240
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 34, 34
COLOURS = {"certain": "#0072b2", "not known": "#e69f00"}  # distinguishable with colour blindness (Okabe and Ito)
BAR_S, BARS = 1800, 28  # half an hour each; the first bar includes everything earlier
LINES = 4
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem}"
    "svg{width:100%;height:auto;font-size:11px}.grid{stroke:#ddd}.mark{stroke:#b00020;stroke-dasharray:4 3}"
    "td,th{text-align:right;padding:.1rem .8rem .1rem 0}td:first-child,th:first-child{text-align:left}"
)


def page(nights: Nights, about: str, again: str) -> str:
    """Return the HTML, which needs no other file. `again` is the command that repeats the run."""
    figures = "".join(f"<li>{escape(str(figure))}</li>" for figure in nights.figures())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(about)}</title><style>{STYLE}</style>'
        f"<h1>{escape(about)}</h1><p><code>{escape(again)}</code></p><ul>{figures}</ul>{_plot(nights.nights)}"
        f"{_table(nights.by_trouble())}{_table(nights.by_told())}"
        f"{_list('Not announced in time', nights.missed())}{_list('Announced falsely', nights.false())}</html>\n"
    )


def _plot(nights: Sequence[Lived]) -> str:
    """Return bars by half hours before the departure: certain announcements below those that nobody knows."""
    told = [one for one in nights if one.is_miss and one.told is not None]
    bars = [{name: 0 for name in COLOURS} for _ in range(BARS)]
    for one in told:
        bars[min(one.told_before_s // BAR_S, BARS - 1)]["certain" if is_certain(one) else "not known"] += 1
    most = max([1, *(sum(bar.values()) for bar in bars)])
    step = (WIDTH - LEFT - RIGHT) / BARS

    def x(before_s: float) -> float:
        return WIDTH - RIGHT - before_s / BAR_S * step

    def y(count: float) -> float:
        return HEIGHT - BOTTOM - count / most * (HEIGHT - TOP - BOTTOM)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="When misses were announced">']
    parts.append(
        f'<text x="{LEFT}" y="16">Misses by the hours before the departure at which they were announced</text>'
    )
    for line in range(LINES + 1):
        count = most * line / LINES
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(count):.1f}" y2="{y(count):.1f}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(count) + 4:.1f}" text-anchor="end">{count:.0f}</text>')
    for at, bar in enumerate(bars):
        below = 0
        for name, count in bar.items():
            place = f'x="{x((at + 1) * BAR_S) + 1:.1f}" width="{step - 2:.1f}" y="{y(below + count):.1f}"'
            height = y(below) - y(below + count)
            parts.append(
                f'<rect {place} height="{height:.1f}" fill="{COLOURS[name]}"><title>{count} {name}</title></rect>'
            )
            below += count
    for hours in range(0, BARS * BAR_S // 3600 + 1, 2):
        parts.append(f'<text x="{x(hours * 3600):.1f}" y="{HEIGHT - 12}" text-anchor="middle">{hours} h</text>')
    mark = x(TOLD_BEFORE_S)
    parts.append(f'<line x1="{mark:.1f}" x2="{mark:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" class="mark"/>')
    for at, (name, colour) in enumerate(COLOURS.items()):
        parts.append(f'<text x="{WIDTH - RIGHT - 80 * at}" y="16" text-anchor="end" fill="{colour}">{name}</text>')
    return "".join([*parts, "</svg>"])


def _table(counted: Counted) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in counted.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in counted.rows)
    return f"<table><tr>{head}</tr>{rows}</table>"


def _list(title: str, nights: Sequence[Lived]) -> str:
    if not nights:
        return ""
    items = "".join(f"<li>{escape(str(one))}</li>" for one in nights)
    return f"<h2>{escape(title)}: {len(nights)}</h2><ul>{items}</ul>"
