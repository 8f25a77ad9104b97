"""Whether a roll-out goes on, goes to its next ring, or stops, by what is counted of its units. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.releases.roll_out_states import RINGS, Happened
from cloud_bridge.releases.verdict import Seen, is_worse, reason

HOUR_MS = 3_600_000
SOAK_MS = 24 * HOUR_MS  # usually: what fails only after hours shows, and every hour of the day has passed
SHORTEST_SOAK_MS = HOUR_MS
GOOD_SHARE = 0.5  # of the units of a ring that did not refuse


class RingCount(NamedTuple):
    """The units of the present ring."""

    units: int
    refused: int
    good: int


class Decision(NamedTuple):
    """`happened` is None while it goes on as it is; `why` is of a stop."""

    happened: Happened | None
    why: str = ""


def decide(ring: int, count: RingCount, lasted_ms: int, soak_ms: int, seen: Sequence[Seen]) -> Decision:
    """A ring is passed when it has lasted for its time and at least half of its units, refusals aside, are good. One without
    a unit that takes the release is passed at once."""
    worse = next((one for one in seen if is_worse(one, ring == 0)), None)
    if worse is not None:
        return Decision(Happened.STOP, reason(worse))
    takers = count.units - count.refused
    if takers > 0 and (lasted_ms < soak_ms or count.good < takers * GOOD_SHARE):
        return Decision(None)
    is_last = ring == len(RINGS) - 1
    return Decision(Happened.LAST_RING_PASSED if is_last else Happened.RING_PASSED)
