"""The state machine of the link to a car's account. Pure: times are parameters, in UTC milliseconds. README.md draws it.

`degraded` is transient trouble that is retried without asking the driver. `access_lost` has a reason and a time, and
stays until the account answers again, whoever mended it. A reason is kept while the driver goes through the
authorisation again, so that the error does not vanish because somebody opened a page.

The same refusal for three days ends the patience with transient trouble: the link is lost, since the first refusal. An
outage in between changes nothing, since nobody has answered; an outage alone never loses a link. The three days go by the
time that has verifiably passed (verified_time.py): a clock that is set forward ends no patience.
"""

from enum import StrEnum
from typing import NamedTuple

from cloud_bridge.durations import DAY_MS
from cloud_bridge.vehicles.providers.provider_errors import LASTING, REFUSALS, Trouble

REFUSED_AFTER_MS = 3 * DAY_MS  # of one and the same refusal


class State(StrEnum):
    """Stored with the vehicle: a word may be added, never renamed."""

    UNLINKED = "unlinked"
    LINKING = "linking"
    LINKED = "linked"
    DEGRADED = "degraded"
    ACCESS_LOST = "access_lost"


class Event(StrEnum):
    """What changes the state of a link."""

    BEGAN = "began"  # the driver pressed Continue
    LAPSED = "lapsed"  # and did not come back in time, or said no
    GRANTED = "granted"  # came back, and the right car is in the account
    ANSWERED = "answered"  # the account gave an answer; an answer that the car sleeps is one
    FAILED = "failed"  # transient trouble
    LOST = "lost"  # lasting trouble
    UNLINKED = "unlinked"  # the driver disconnected it


class ImpossibleEvent(Exception):
    """An event that the table does not have for this state: a programming error."""


class Link(NamedTuple):
    """A link as it is stored."""

    state: State
    since_ms: int
    reason: Trouble | None = None  # of the lost access, or of the trouble that is retried
    before: State | None = None  # where a linking that lapses goes back to
    refused_ms: int | None = None  # by verified time: since when the refusal that is retried has been the same


BEFORE = None  # in the table: back to where the linking began

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
        Event.BEGAN: State.LINKED,  # authorising a link that works changes nothing until it is granted
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
        Event.FAILED: State.ACCESS_LOST,  # an outage does not make a lost access better
        Event.LOST: State.ACCESS_LOST,
        Event.UNLINKED: State.UNLINKED,
    },
}


def event_of(trouble: Trouble | None) -> Event:
    """The event of a provider's answer; None is an answer without trouble."""
    if trouble is None or trouble is Trouble.ASLEEP:
        return Event.ANSWERED
    return Event.LOST if trouble in LASTING else Event.FAILED


def follow(
    link: Link, event: Event, now_ms: int, reason: Trouble | None = None, verified_ms: int | None = None
) -> Link:
    """The link after the event. `since_ms` is when it entered this state for this reason.

    `verified_ms` is the time that has verifiably passed; a failure needs it. Raises ImpossibleEvent.
    """
    if event not in TABLE[link.state]:
        raise ImpossibleEvent(f"{event} while {link.state}")
    if event is Event.FAILED and link.reason in REFUSALS:
        if reason not in REFUSALS:
            reason = link.reason  # an outage says nothing of a refusal
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
