"""The availability of a unit over a window of time. Pure.

Pages, evidence and the HTTP interface share one rule. Only silence, as the dashboard defines it, counts against a unit.
Time in which the bridge was not listening counts neither as silence nor as availability. Shorter gaps between contacts
are listed and do not count.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.contact import GAP_AFTER_MS, Gap, outage_ms


class UnitGap(NamedTuple):
    """One span of time without contact."""

    from_ms: int
    to_ms: int | None  # None if the gap has not ended
    duration_ms: int
    outage_ms: int  # the part of it in which the bridge was not listening


def with_open_gap(gaps: Sequence[Gap], last_contact_ms: int | None, now_ms: int) -> list[tuple[Gap, bool]]:
    """Return the gaps that have ended, each with False, and the gap that has not, if there is one, with True."""
    known = [(gap, False) for gap in gaps]
    if last_contact_ms is not None and now_ms - last_contact_ms > GAP_AFTER_MS:
        known.append((Gap(last_contact_ms, now_ms), True))
    return known


def unit_gaps(gaps: Sequence[Gap], ours: Sequence[Gap], last_contact_ms: int | None, now_ms: int) -> list[UnitGap]:
    """Return each gap with the time in it for which the bridge was not listening, oldest first. `ours` are our
    outages."""
    return [
        UnitGap(gap.from_ms, None if lasts else gap.to_ms, gap.to_ms - gap.from_ms, outage_ms(ours, *gap))
        for gap, lasts in with_open_gap(gaps, last_contact_ms, now_ms)
    ]


def availability(silences: Sequence[Gap], ours: Sequence[Gap], from_ms: int, to_ms: int) -> float | None:
    """Return the fraction (0 to 1) of our listening time in which the unit was not silent; None if there was none.

    `silences` must lie in the window and exclude our own outages (`ours`), as support.evidence produces them.
    """
    heard_ms = to_ms - from_ms - outage_ms(ours, from_ms, to_ms)
    if heard_ms <= 0:
        return None
    return max(0.0, 1 - sum(gap.to_ms - gap.from_ms for gap in silences) / heard_ms)
