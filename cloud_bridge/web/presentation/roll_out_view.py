"""A roll-out as its page draws it: a bar of its units by state, its rings, and the number of good units over time. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.releases.roll_out_states import RINGS, RollOutState, UnitState
from cloud_bridge.store.roll_out_start import ChosenBy
from cloud_bridge.store.roll_outs import RollOut
from cloud_bridge.web.presentation.charts import Bar, TimeAxis, time_axis
from cloud_bridge.web.presentation.series import Slot
from cloud_bridge.web.presentation.update_words import STATES
from cloud_bridge.web.presentation.words import operator_name
from cloud_bridge.words import formats
from cloud_bridge.words import gettext as _

ZONE = "Europe/London"  # as on the fleet page
TONES = {  # Tones of the parts of the bar: classes of style.css.
    UnitState.GOOD: "good",
    UnitState.TRIAL: "trial",
    UnitState.INSTALLED: "trial",
    UnitState.TAKEN: "loading",
    UnitState.ORDERED: "loading",
    UnitState.ROLLED_BACK: "bad",
    UnitState.CORRUPT: "bad",
    UnitState.REFUSED: "refused",
    UnitState.WITHDRAWN: "refused",
    UnitState.WAITING: "waiting",
}
WIDTH = 1000  # of the bar, in SVG units
LEAST_WIDTH = 8  # of a part that has units


class Part(NamedTuple):
    """A part of the bar: the units in one state."""

    state: UnitState
    words: str
    tone: str
    units: int
    at: int  # position, out of WIDTH
    width: int


class Ring(NamedTuple):
    """A ring that has units."""

    name: str
    units: int
    good: int
    refused: int
    bad: int
    is_present: bool


def bar_of(states: dict[UnitState, int]) -> list[Part]:
    """Return the parts of the bar, from good to waiting. Every part that has units is visible, and together they fill the
    bar."""
    shown = [(state, tone, states[state]) for state, tone in TONES.items() if states.get(state)]
    units = sum(count for *_kind, count in shown)
    spread = WIDTH - LEAST_WIDTH * len(shown)
    parts, at, before = [], 0, 0
    for number, (state, tone, count) in enumerate(shown, start=1):
        before += count
        end = LEAST_WIDTH * number + spread * before // units
        parts.append(Part(state, _(STATES[state]), tone, count, at, end - at))
        at = end
    return parts


def rings_of(one: RollOut, states: dict[int, dict[UnitState, int]]) -> list[Ring]:
    """Return the rings of the roll-out, in their order."""
    return [
        Ring(
            _(RINGS[ring]),
            sum(of.values()),
            of.get(UnitState.GOOD, 0),
            of.get(UnitState.REFUSED, 0),
            of.get(UnitState.ROLLED_BACK, 0) + of.get(UnitState.CORRUPT, 0),
            ring == one.ring and one.state is RollOutState.RUNNING,
        )
        for ring, of in sorted(states.items())
    ]


def hours_of(one: RollOut, good: Sequence[tuple[int, int]], now_ms: int) -> tuple[TimeAxis, list[Bar]]:
    """Return how many units were good at the end of each hour since the start, or of each day for a long roll-out."""
    end_ms = max(min(one.ended_ms or now_ms, now_ms), one.started_ms + HOUR_MS)
    step_ms = HOUR_MS if end_ms - one.started_ms <= 3 * DAY_MS else DAY_MS
    axis = time_axis(one.started_ms, one.started_ms, end_ms, ZONE)
    bars: list[Bar] = []
    from_ms = one.started_ms - one.started_ms % step_ms
    while from_ms < end_ms:
        to_ms = from_ms + step_ms
        count = sum(units for at_ms, units in good if at_ms < to_ms)
        hour = (from_ms - one.started_ms) // HOUR_MS
        name = f"{hour} h" if step_ms == HOUR_MS else _("day {n}").format(n=len(bars) + 1)
        slot = Slot(max(from_ms, one.started_ms), min(to_ms, end_ms))
        bars.append(
            Bar(
                name if from_ms >= one.started_ms else "0 h",
                name,
                count,
                _("{n} good").format(n=formats.count(count)),
                slot,
            )
        )
        from_ms = to_ms
    return axis, bars[-200:]


def chosen_words(one: RollOut) -> str:
    """Return which units the roll-out is for, in words."""
    if one.chosen_by is ChosenBy.NETWORK:
        return _("units last on {network}").format(network=operator_name(one.chosen) or one.chosen)
    if one.chosen_by is ChosenBy.SITE:
        return _("units whose name begins with {text}").format(text=one.chosen)
    return _("all units") if one.chosen_by is ChosenBy.ALL else _("a list of units")
