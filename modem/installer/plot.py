"""Draws the samples as inline SVG: a line through the samples, the pass limit, and the median. Pure."""

from markupsafe import Markup

from modem import signal

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 40, 84, 14, 30
GRID_CSQ = (0, 5, 10, 15, 20, 25, 31)


def plot(samples: list[tuple[float, int]], median: float | None) -> Markup:
    """Return an <svg> of (seconds, CSQ). A sample without a reading is shown as a gap in the line and a mark on the axis."""
    longest_s = max([at_s for at_s, _ in samples] + [1.0])

    def x(at_s: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at_s / longest_s

    mark = _y(signal.PASS_ABOVE_CSQ + 0.5)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="CSQ over time">',
        f'<rect class="good" x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{mark - TOP:.1f}"/>',
        *[_gridline(csq) for csq in GRID_CSQ],
        f'<line class="mark" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{mark:.1f}" y2="{mark:.1f}"/>',
        f'<text class="note" x="{WIDTH - RIGHT + 8}" y="{mark + 4:.1f}">pass ↑</text>',
    ]
    if median is not None:
        parts.append(
            f'<line class="median" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(median):.1f}" y2="{_y(median):.1f}"/>'
        )
        if abs(_y(median) - mark) > 12:
            parts.append(
                f'<text class="note" x="{WIDTH - RIGHT + 8}" y="{_y(median) + 4:.1f}">median {median:g}</text>'
            )
    for run in _runs(samples):
        points = " ".join(f"{x(at_s):.1f},{_y(csq):.1f}" for at_s, csq in run)
        parts.append(f'<polyline points="{points}"/>')
    for at_s, csq in samples:
        if csq == signal.NO_READING:
            parts.append(f'<text class="none" x="{x(at_s):.1f}" y="{HEIGHT - BOTTOM - 4}">?</text>')
        else:
            word = "pass" if signal.passes(csq) else "fail"
            parts.append(f'<circle class="{word}" cx="{x(at_s):.1f}" cy="{_y(csq):.1f}" r="3.5"/>')
    parts.append(f'<text class="note" x="{LEFT}" y="{HEIGHT - 8}">0 s</text>')
    parts.append(f'<text class="note end" x="{WIDTH - RIGHT}" y="{HEIGHT - 8}">{longest_s:.0f} s</text>')
    return Markup("\n".join([*parts, "</svg>"]))


def _y(csq: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - csq / signal.CSQ_MAX)


def _gridline(csq: int) -> str:
    y = _y(csq)
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="note end" x="{LEFT - 8}" y="{y + 4:.1f}">{csq}</text>'
    )


def _runs(samples: list[tuple[float, int]]) -> list[list[tuple[float, int]]]:
    """Split the samples at those without a reading, and return the non-empty runs."""
    runs: list[list[tuple[float, int]]] = [[]]
    for at_s, csq in samples:
        if csq == signal.NO_READING:
            runs.append([])
        else:
            runs[-1].append((at_s, csq))
    return [run for run in runs if run]
