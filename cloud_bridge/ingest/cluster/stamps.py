"""The time of a contact on the cluster: the timestamp of the node that stored the message, checked against our clock.
Pure.

A contact has the time at which a node received the message, however long the message was queued. A node's clock may be
wrong, so our clock sets bounds:

    upper bound  now, when we read the message lower bound  the last time at which we had fetched all messages
    (`caught_up_ms`): a message that is delivered for the
                 first time after that was stored after it. Not known after a start, and for a redelivery

    the node's timestamp                            the contact is
    ---------------------------------------------------------------------------------------------------------------
    between the bounds, with a margin of FUTURE_MS  at the timestamp, but no later than now
    outside, and the bounds are close together      at the lower bound: the message came after that
    outside otherwise                               no later than now, as an estimate: it ends a silence but does not
                                                    show the unit as online, until its next message

So a node's wrong clock never shows a contact later than it was, and never makes a unit silent. The listening time that
is stored with a contact is that of the later of timestamp and lower bound, or of now if the timestamp is not believed.
"""

from typing import NamedTuple

from cloud_bridge.contact import FUTURE_MS


class Stamp(NamedTuple):
    """The time of a message, on our clock."""

    at_ms: int
    listened_at_ms: int  # an upper bound of the time at which a node stored the message
    is_estimated: bool = False
    is_wrong: bool = False  # the node's clock is wrong


def stamp_of(server_ms: int, caught_up_ms: int | None, now_ms: int) -> Stamp:
    """Return the time of a message. `caught_up_ms` is None if the lower bound is not known. All times are ms since
    1970."""
    is_ahead = server_ms > now_ms + FUTURE_MS
    is_behind = caught_up_ms is not None and server_ms < caught_up_ms - FUTURE_MS
    if not is_ahead and not is_behind:
        at_ms = min(server_ms, now_ms)
        return Stamp(at_ms, at_ms if caught_up_ms is None else min(max(at_ms, caught_up_ms), now_ms))
    if caught_up_ms is not None and 0 <= now_ms - caught_up_ms <= FUTURE_MS:
        return Stamp(caught_up_ms, now_ms, is_wrong=True)
    return Stamp(now_ms, now_ms, is_estimated=True, is_wrong=True)
