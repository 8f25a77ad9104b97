"""The state machine of the link to a car account. Pure: times are parameters, in UTC milliseconds. README.md has the diagram.

`degraded` means transient trouble, which is retried without the driver. `access_lost` has a reason and a time, and stays until
the account answers again, for whatever cause. The reason remains while the driver goes through the authorisation again, so
that the error does not disappear because somebody opened a page.

If the same refusal lasts for three days, it is no longer transient: the link is lost, dated from the first refusal. An outage
in between changes nothing, because the provider has not answered, and an outage alone never loses a link. The three days are
measured in verified time (verified_time.py), so a clock that is set forward does not shorten them.
"""

from enum import StrEnum
from typing import NamedTuple

from cloud_bridge.durations import DAY_MS
from cloud_bridge.vehicles.providers.provider_errors import LASTING, REFUSALS, Trouble

REFUSED_AFTER_MS = 3 * DAY_MS  # for one and the same refusal


class State(StrEnum):
    """Stored with the vehicle: members may be added, but never renamed."""

    UNLINKED = "unlinked"
    LINKING = "linking"
    LINKED = "linked"
    DEGRADED = "degraded"
    ACCESS_LOST = "access_lost"


class Event(StrEnum):
    """Events that change the state of a link."""

    BEGAN = "began"  # the driver pressed Continue
    LAPSED = "lapsed"  # did not return in time, or declined
    GRANTED = "granted"  # returned, and the right car is in the account
    ANSWERED = "answered"  # the account answered; "the car is asleep" is an answer too
    FAILED = "failed"  # transient trouble
    LOST = "lost"  # lasting trouble
    UNLINKED = "unlinked"  # the driver disconnected it


class ImpossibleEvent(Exception):
    """An event that the table does not have for this state. This is a programming error."""


class Link(NamedTuple):
    """The link as stored."""

    state: State
    since_ms: int
    reason: Trouble | None = None  # of the lost access, or of the trouble that is being retried
    before: State | None = None  # state to restore if a linking lapses
    refused_ms: int | None = None  # verified time since which the refusal has been the same


BEFORE = None  # in the table: return to the state before the linking

TABLE: dict[State, dict[Event, State | None]] = {
    State.UNLINKED: {Event.BEGAN: State.LINKING, Event.UNLINKED: State.UNLINKED},
    State.LINKING: {
        Event.BEGAN: State.LINKING,
        Event.LAPSED: BEFORE,
        Event.GRANTED: State.LINKED,
        Event.ANSWERED: State.LINKED,
        Event.FAILED: State.LINKING,
        Event.LOST: State.LINKING,
        Event.UNLINKED: State.UNLINKED,
    },
    State.LINKED: {
        Event.BEGAN: State.LINKED,  # authorising a working link again changes nothing until it is granted
        Event.GRANTED: State.LINKED,
        Event.LAPSED: State.LINKED,
        Event.ANSWERED: State.LINKED,
        Event.FAILED: State.DEGRADED,
        Event.LOST: State.ACCESS_LOST,
        Event.UNLINKED: State.UNLINKED,
    },
    State.DEGRADED: {
        Event.BEGAN: State.DEGRADED,
        Event.GRANTED: State.LINKED,
        Event.LAPSED: State.DEGRADED,
        Event.ANSWERED: State.LINKED,
        Event.FAILED: State.DEGRADED,
        Event.LOST: State.ACCESS_LOST,
        Event.UNLINKED: State.UNLINKED,
    },
    State.ACCESS_LOST: {
        Event.BEGAN: State.LINKING,
        Event.LAPSED: State.ACCESS_LOST,
        Event.GRANTED: State.LINKED,
        Event.ANSWERED: State.LINKED,
        Event.FAILED: State.ACCESS_LOST,  # an outage does not end a lost access
        Event.LOST: State.ACCESS_LOST,
        Event.UNLINKED: State.UNLINKED,
    },
}


def event_of(trouble: Trouble | None) -> Event:
    """Return the event for a provider's answer. `trouble` is None for an answer without trouble."""
    if trouble is None or trouble is Trouble.ASLEEP:
        return Event.ANSWERED
    return Event.LOST if trouble in LASTING else Event.FAILED


def follow(
    link: Link, event: Event, now_ms: int, reason: Trouble | None = None, verified_ms: int | None = None
) -> Link:
    """Return the link after the event. Its `since_ms` is when it entered this state for this reason.

    `verified_ms` is verified time; it is required for Event.FAILED. Raises ImpossibleEvent.
    """
    if event not in TABLE[link.state]:
        raise ImpossibleEvent(f"{event} while {link.state}")
    if event is Event.FAILED and link.reason in REFUSALS:
        if reason not in REFUSALS:
            reason = link.reason  # an outage is no evidence about a refusal
        elif reason is link.reason and _passed_ms(link.refused_ms, verified_ms) >= REFUSED_AFTER_MS:
            return follow(link, Event.LOST, now_ms, Trouble.REFUSED)._replace(since_ms=link.since_ms)
    state: State = TABLE[link.state][event] or link.before or State.UNLINKED
    if event in (Event.ANSWERED, Event.GRANTED, Event.UNLINKED):
        reason = None
    elif reason is None or (event is Event.FAILED and link.reason in LASTING):
        reason = link.reason
    unchanged = state is link.state and reason is link.reason
    still_lost = State.LINKING in (state, link.state) and reason is not None  # since before the attempt
    since_ms = link.since_ms if unchanged or still_lost else now_ms
    return Link(state, since_ms, reason, _before(link, state), _refused_ms(link, state, reason, verified_ms))


def _passed_ms(since_ms: int | None, verified_ms: int | None) -> int:
    return 0 if since_ms is None or verified_ms is None else verified_ms - since_ms


def _refused_ms(link: Link, state: State, reason: Trouble | None, verified_ms: int | None) -> int | None:
    if state is not State.DEGRADED or reason not in REFUSALS:
        return None
    is_same = reason is link.reason and link.refused_ms is not None and _passed_ms(link.refused_ms, verified_ms) >= 0
    return link.refused_ms if is_same else verified_ms


def _before(link: Link, state: State) -> State | None:
    if state is not State.LINKING:
        return None
    return link.before if link.state is State.LINKING else link.state
