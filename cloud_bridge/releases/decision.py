"""Decides whether a roll-out continues, moves to its next ring or stops, by the counts of its units. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.releases.roll_out_states import RINGS, Happened
from cloud_bridge.releases.verdict import Seen, is_worse, reason

HOUR_MS = 3_600_000
SOAK_MS = 24 * HOUR_MS  # default: long enough for slow failures to show, and to cover every hour of the day
SHORTEST_SOAK_MS = HOUR_MS
GOOD_SHARE = 0.5  # of the units of a ring that did not refuse


class RingCount(NamedTuple):
    """Counts of the units in the present ring."""

    units: int
    refused: int
    good: int


class Decision(NamedTuple):
    """`happened` is None if nothing changes. `why` is the reason of a stop."""

    happened: Happened | None
    why: str = ""


def decide(ring: int, count: RingCount, lasted_ms: int, soak_ms: int, seen: Sequence[Seen]) -> Decision:
    """Decide about a roll-out. A ring is passed when it has lasted for its minimum time and at least half of its units,
    without those that refused, are good. A ring in which all units refused is passed at once."""
    worse = next((one for one in seen if is_worse(one, ring == 0)), None)
    if worse is not None:
        return Decision(Happened.STOP, reason(worse))
    takers = count.units - count.refused
    if takers > 0 and (lasted_ms < soak_ms or count.good < takers * GOOD_SHARE):
        return Decision(None)
    is_last = ring == len(RINGS) - 1
    return Decision(Happened.LAST_RING_PASSED if is_last else Happened.RING_PASSED)
