"""How well a unit could be reached over a window of time. Pure.

One rule, for pages, evidence and the HTTP interface: what counts against a unit is its silence, as the dashboard means
the word, and nothing in which we ourselves were not listening; neither then, nor as time in which it was reachable.
Shorter gaps between its contacts are told, and count for nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.contact import GAP_AFTER_MS, Gap, outage_ms


class UnitGap(NamedTuple):
    """One time without contact."""

    from_ms: int
    to_ms: int | None  # None: it lasts
    duration_ms: int
    outage_ms: int  # of it, how long we were not listening


def with_open_gap(gaps: Sequence[Gap], last_contact_ms: int | None, now_ms: int) -> list[tuple[Gap, bool]]:
    """The gaps that are over, each with False, and the one that lasts with True."""
    known = [(gap, False) for gap in gaps]
    if last_contact_ms is not None and now_ms - last_contact_ms > GAP_AFTER_MS:
        known.append((Gap(last_contact_ms, now_ms), True))
    return known


def unit_gaps(gaps: Sequence[Gap], ours: Sequence[Gap], last_contact_ms: int | None, now_ms: int) -> list[UnitGap]:
    """Each gap with our part in it; oldest first."""
    return [
        UnitGap(gap.from_ms, None if lasts else gap.to_ms, gap.to_ms - gap.from_ms, outage_ms(ours, *gap))
        for gap, lasts in with_open_gap(gaps, last_contact_ms, now_ms)
    ]


def availability(silences: Sequence[Gap], ours: Sequence[Gap], from_ms: int, to_ms: int) -> float | None:
    """The part of the time we listened in which the unit was not silent, 0 to 1; None when we did not listen at all.

    `silences` lie in the window and are without our own outages, as support.evidence has them.
    """
    heard_ms = to_ms - from_ms - outage_ms(ours, from_ms, to_ms)
    if heard_ms <= 0:
        return None
    return max(0.0, 1 - sum(gap.to_ms - gap.from_ms for gap in silences) / heard_ms)
