"""When a message reached the cluster, by the node that stored it, and what our own clock says to that. Pure.

The server's receive time is the contact's, however long the message waited for us. But a node's clock may be wrong, and a
clock is a witness and no judge: ours sets bounds.

    no later     now, when we read it
    no earlier   when we last asked for messages and were given all that there were (`caught_up_ms`): one that is delivered
                 for the first time after that was stored after it. Not known after a start, and for a redelivery

    the server's stamp                              the contact is
    ---------------------------------------------------------------------------------------------------------------
    between the bounds, with FUTURE_MS to spare     at the stamp, and no later than now
    beyond them, and they lie close together        at the earlier bound: it came after that
    beyond them otherwise                           no later than now, as an estimate: it ends a silence and shows no
                                                    contact, until the unit is heard again

So a wrong clock of a node shows no contact later than it was, and makes no unit silent: the listening that a contact stands
for is counted up to the later of stamp and earlier bound, or up to now where the stamp is not believed.
"""

from typing import NamedTuple

from cloud_bridge.contact import FUTURE_MS


class Stamp(NamedTuple):
    """When a message came, on our clock."""

    at_ms: int
    listened_at_ms: int  # it was stored no later than this, as far as we can tell
    is_estimated: bool = False
    is_wrong: bool = False  # the node's clock


def stamp_of(server_ms: int, caught_up_ms: int | None, now_ms: int) -> Stamp:
    """`caught_up_ms` is None where no earlier bound is known; all three in ms since 1970."""
    is_ahead = server_ms > now_ms + FUTURE_MS
    is_behind = caught_up_ms is not None and server_ms < caught_up_ms - FUTURE_MS
    if not is_ahead and not is_behind:
        at_ms = min(server_ms, now_ms)
        return Stamp(at_ms, at_ms if caught_up_ms is None else min(max(at_ms, caught_up_ms), now_ms))
    if caught_up_ms is not None and 0 <= now_ms - caught_up_ms <= FUTURE_MS:
        return Stamp(caught_up_ms, now_ms, is_wrong=True)
    return Stamp(now_ms, now_ms, is_estimated=True, is_wrong=True)
