"""The queue of alerts, and the rows from which alerts are detected.

Rows are taken in the transaction that queues their alerts (untold.py), so that each is alerted exactly once, even if
the process is killed. A cursor is the id of the alert up to which all hold-downs of a kind have ended.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, or_, select, update

from cloud_bridge.alerts.services import Via
from cloud_bridge.contact import Contact
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.store.access import Person, visible
from cloud_bridge.store.chunks import in_chunks
from cloud_bridge.store.job_timeline import Window, window_of
from cloud_bridge.store.ownership import HAPPENED, SAID, is_owners, is_within, joined_ms, period_for
from cloud_bridge.store.tables import (
    alert_cursors,
    alert_wishes,
    alerts,
    conversations,
    duplicate_identities,
    events,
    heartbeats,
    job_events,
    jobs,
    messages,
    people,
    push_browsers,
    signal_5min,
    transitions,
    units,
)
from cloud_bridge.store.untold import AT_ONCE, take
from cloud_bridge.store.upsert import replace

LONGEST_WAIT_MS = 6 * HOUR_MS  # between two attempts to send an alert (alerts/delivery.py)
EMAIL = Via.EMAIL.value


class NewEvent(NamedTuple):
    """A row of `events`."""

    id: int
    unit_id: str
    received_ms: int
    kind: str
    payload: str
    began_ms: int  # when it happened, to decide whose period it belongs to (ownership.py)
    said_ms: int  # the same, by the unit's clock


class NewMove(NamedTuple):
    """A row of `job_events`, with the present state of the job and its unit."""

    id: int
    job_id: int
    unit_id: str
    at_ms: int
    move: str
    move_visit: Window | None  # the visit that this move has planned or cancelled
    visit: Window | None
    is_open: bool
    installer_id: int | None
    owner_id: int | None
    raised_ms: int
    time_zone: str


class NewAnswer(NamedTuple):
    """A row of `messages`, with the person of its conversation."""

    id: int
    sent_ms: int
    person_id: int


class HoldDown(NamedTuple):
    """The newest alert of a subscription, unit, kind and detail."""

    id: int
    unit_id: str
    detail: str
    at_ms: int


class FaultChange(NamedTuple):
    kind: str  # fault_raised or fault_cleared
    received_ms: int
    payload: str
    began_ms: int
    said_ms: int


def take_transitions(connection: Connection) -> Sequence[Row[Any]]:
    """Take the rows of `transitions` that are not alerted yet, by id."""
    return take(connection, transitions, select(transitions))


def take_duplicates(connection: Connection) -> Sequence[Row[Any]]:
    """Take the rows of `duplicate_identities` that are not alerted yet, by id. A lasting finding is alerted once."""
    return take(connection, duplicate_identities, select(duplicate_identities))


def take_job_moves(connection: Connection) -> list[NewMove]:
    """Take the rows of `job_events` that are not alerted yet, by id."""
    moved = job_events.c
    query = (
        select(
            *(moved.id, moved.job_id, moved.at_ms, moved.move, moved.visit_from_ms, moved.visit_until_ms),
            *(jobs.c.visit_from_ms, jobs.c.visit_until_ms, jobs.c.closed_ms, jobs.c.installer_id, jobs.c.raised_ms),
            *(units.c.id, units.c.owner_id, units.c.time_zone),
        )
        .join(jobs, jobs.c.id == moved.job_id)
        .join(units, units.c.id == jobs.c.unit_id)
    )
    return [
        NewMove(
            *(row[0], row[1], row[11], row[2], row[3], window_of(row[4], row[5]), window_of(row[6], row[7])),
            *(row[8] is None, row[9], row[12], row[10], row[13]),
        )
        for row in take(connection, job_events, query)
    ]


def take_answers(connection: Connection, until_ms: int, future_ms: int) -> list[NewAnswer]:
    """Take the answers of support that were sent by `until_ms` and are not alerted yet, and return those that their
    person has not read: the first of each conversation, by id. An answer with a timestamp after `future_ms` was stamped
    by a wrong clock, and is taken at once."""
    is_young = messages.c.sent_ms.between(until_ms + 1, future_ms)
    young_id = connection.execute(select(func.min(messages.c.id)).where(messages.c.untold, is_young)).scalar()
    old = select(messages.c.id)
    if young_id is not None:
        old = old.where(messages.c.id < young_id)
    ids = [row.id for row in take(connection, messages, old)]
    if not ids:
        return []
    earlier = messages.alias()
    one_before = select(earlier.c.id).where(
        earlier.c.conversation_id == conversations.c.id,
        earlier.c.from_support,
        earlier.c.id.between(conversations.c.read_id + 1, messages.c.id - 1),
    )
    unread = (messages.c.from_support, messages.c.id > conversations.c.read_id, ~one_before.exists())
    query = (
        select(messages.c.id, messages.c.sent_ms, conversations.c.person_id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(messages.c.id.in_(ids), *unread)
    )
    return [NewAnswer(*row) for row in connection.execute(query.order_by(messages.c.id))]


def take_events(connection: Connection) -> list[NewEvent]:
    """Take the rows of `events` that are not alerted yet, by id."""
    query = select(
        events.c.id,
        events.c.unit_id,
        events.c.received_ms,
        events.c.kind,
        events.c.payload,
        HAPPENED[events].began_ms,
        SAID[events],
    )
    return [NewEvent(*row) for row in take(connection, events, query)]


def hold_downs(connection: Connection, kind: str) -> list[HoldDown]:
    """Return the hold-downs of this kind after its cursor, by id. The caller then calls `hold_downs_ended`."""
    newer = alerts.alias()
    same = (newer.c[name] == alerts.c[name] for name in ("wish_id", "unit_id", "about", "detail"))
    is_newest = ~select(newer.c.id).where(*same, newer.c.id > alerts.c.id).exists()
    query = select(alerts.c.id, alerts.c.unit_id, alerts.c.detail, alerts.c.at_ms).where(
        alerts.c.about == kind, alerts.c.id > _cursor(connection, _hold_downs(kind)), is_newest
    )
    return [HoldDown(*row) for row in connection.execute(query.order_by(alerts.c.id).limit(AT_ONCE))]


def hold_downs_ended(connection: Connection, kind: str, seen_id: int) -> None:
    """Move the cursor of `hold_downs` to this id."""
    _move_cursor(connection, _hold_downs(kind), seen_id)


def units_silent_between(connection: Connection, since_ms: int, until_ms: int) -> int:
    """Return the number of units that fell silent between the two times. Later rows come from a wrong clock."""
    return connection.execute(
        select(func.count(func.distinct(transitions.c.unit_id))).where(
            transitions.c.contact == Contact.SILENT.value, transitions.c.at_ms.between(since_ms, until_ms)
        )
    ).scalar_one()


def weak_signals(
    connection: Connection, since_ms: int, until_ms: int, at_most_csq: int, min_samples: int
) -> Sequence[tuple[str, float]]:
    """Return (unit id, mean CSQ) of the units with a weak signal and at least `min_samples` samples between the two
    times. Each five minutes have the same weight, because a charging unit sends more samples."""
    at, mean = signal_5min.c.from_ms, func.avg(signal_5min.c.total * 1.0 / signal_5min.c.samples)
    query = (
        select(signal_5min.c.unit_id, mean)
        .join(units, units.c.id == signal_5min.c.unit_id)
        .where(at.between(since_ms, until_ms), in_chunks(at, since_ms, until_ms), is_owners(signal_5min))
        .group_by(signal_5min.c.unit_id)
        .having(mean <= at_most_csq, func.sum(signal_5min.c.samples) >= min_samples)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def fault_changes(connection: Connection, unit_id: str, since_ms: int) -> list[FaultChange]:
    """Return the faults that were raised and cleared since then, newest first."""
    query = (
        select(events.c.kind, events.c.received_ms, events.c.payload, HAPPENED[events].began_ms, SAID[events])
        .where(
            events.c.unit_id == unit_id,
            events.c.received_ms > since_ms,
            events.c.kind.in_(("fault_raised", "fault_cleared")),
        )
        .order_by(events.c.received_ms.desc(), events.c.id.desc())
        .limit(AT_ONCE)
    )
    return [FaultChange(*row) for row in connection.execute(query)]


def newest_heartbeat(connection: Connection, unit_id: str) -> tuple[int, str] | None:
    """Return (received_ms, payload) of the unit's newest heartbeat, or None."""
    query = select(heartbeats.c.received_ms, heartbeats.c.payload).where(heartbeats.c.unit_id == unit_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.received_ms, row.payload)


def silent_since(connection: Connection, unit_id: str) -> int | None:
    """Return when the unit fell silent, or None if it is not silent."""
    query = select(transitions.c.contact, transitions.c.at_ms).where(transitions.c.unit_id == unit_id)
    row = connection.execute(query.order_by(transitions.c.id.desc()).limit(1)).one_or_none()
    return row.at_ms if row is not None and row.contact == Contact.SILENT.value else None


def name_for(connection: Connection, person: Person, unit_id: str, began_ms: int, said_ms: int) -> str | None:
    """Return the unit's name, or its id if it has none. Return None if the person may not see the unit, or not what
    happened at that time (ownership.is_within)."""
    columns = (units.c.name, units.c.id, units.c.owned_from_ms, joined_ms(person))
    row = connection.execute(select(*columns).where(units.c.id == unit_id, visible(person))).one_or_none()
    if row is None:
        return None
    name, _, *from_ms = row
    return str(name or unit_id) if is_within(period_for(person, unit_id, *from_ms), began_ms, said_ms) else None


def queue(connection: Connection, subscription_id: int, alert: Mapping[str, Any], refused: str = "") -> None:
    """Queue an alert with unit_id, about, detail, at_ms and words. It is due at once, unless `refused` has a reason."""
    due_ms = None if refused else alert["at_ms"]
    row = {**alert, "wish_id": subscription_id, "due_ms": due_ms, "trouble": refused}
    connection.execute(alerts.insert(), row)


def waiting_by_person(connection: Connection) -> dict[int, int]:
    """Return the number of unsent alerts by account. Accounts without any are left out."""
    query = (
        select(alert_wishes.c.person_id, func.count())
        .join(alerts, alerts.c.wish_id == alert_wishes.c.id)
        .where(alerts.c.due_ms.is_not(None))
        .group_by(alert_wishes.c.person_id)
    )
    return {person_id: count for person_id, count in connection.execute(query)}


def details_between(
    connection: Connection, subscription_id: int, unit_id: str | None, kind: str, after_ms: int, before_ms: int
) -> list[str]:
    """Return the details of the alerts of this kind between the two times, both exclusive."""
    query = _alerted(unit_id, kind).where(
        alerts.c.wish_id == subscription_id, alerts.c.at_ms > after_ms, alerts.c.at_ms < before_ms
    )
    return list(connection.execute(query).scalars())


def newest_alert_id(connection: Connection, subscription_id: int, unit_id: str | None, kind: str) -> int:
    """Return the id of the newest alert of one subscription, or 0."""
    return _newest_id(connection, _alerted(unit_id, kind).where(alerts.c.wish_id == subscription_id))


def newest_alert_id_of_person(connection: Connection, person_id: int, unit_id: str | None, kind: str) -> int:
    """Return the id of the newest alert of any of the person's subscriptions, or 0."""
    query = _alerted(unit_id, kind).join(alert_wishes, alert_wishes.c.id == alerts.c.wish_id)
    return _newest_id(connection, query.where(alert_wishes.c.person_id == person_id))


class Occupied(NamedTuple):
    """What `next_due` skips: accounts that an alert is being sent to, and services at their limit."""

    people: Collection[int] = ()
    ways: Collection[str] = ()


def next_due(connection: Connection, now_ms: int, occupied: Occupied, failing: bool) -> Row[Any] | None:
    """Return the alert that has been due for longest, with its receiver: the columns of `alerts`, then person_id, via,
    target, secret, email and language, and the columns of its browser, which are null if it has none. With `failing`,
    only accounts with a receiver that has failed and is to be retried are considered, otherwise only the other
    accounts."""
    tried, wish = alerts.alias(), alert_wishes.alias()
    failed = (
        select(wish.c.person_id)
        .join(tried, wish.c.id == tried.c.wish_id)
        .where(tried.c.due_ms.is_not(None), tried.c.tries > 0, wish.c.via != EMAIL)  # the mail server is the operator's
    )
    columns = alert_wishes.c
    browser = push_browsers.c
    where = columns.person_id, columns.via, columns.target, columns.secret, people.c.email, people.c.language
    in_browser = browser.host, browser.endpoint_secret, browser.p256dh_secret, browser.auth_secret
    query = (
        select(alerts, *where, *in_browser)
        .join(alert_wishes, alert_wishes.c.id == alerts.c.wish_id)
        .join(people, people.c.id == alert_wishes.c.person_id)
        .outerjoin(push_browsers, browser.id == alerts.c.browser_id)
        .where(
            or_(alerts.c.due_ms <= now_ms, alerts.c.due_ms > now_ms + LONGEST_WAIT_MS),  # a clock was wrong
            columns.person_id.not_in(occupied.people),
            columns.via.not_in(occupied.ways),
            columns.person_id.in_(failed) if failing else columns.person_id.not_in(failed),
        )
        .order_by(alerts.c.due_ms, alerts.c.id)
        .limit(1)
    )
    return connection.execute(query).one_or_none()


def claim_alert(connection: Connection, alert: Row[Any], until_ms: int) -> bool:
    """Claim the alert that `next_due` returned, until `until_ms`. Return False if another process has just claimed
    it."""
    as_found = (alerts.c.id == alert.id, alerts.c.due_ms == alert.due_ms, alerts.c.tries == alert.tries)
    return connection.execute(update(alerts).where(*as_found).values(due_ms=until_ms)).rowcount == 1


def record_outcome(connection: Connection, alert_id: int, tries: int, due_ms: int | None, trouble: str) -> None:
    """Store the outcome of an attempt. `due_ms` is the time of the next attempt, or None if it was delivered or given
    up. If the claim has expired and another process has sent the alert meanwhile, a failure is not stored."""
    outcome = update(alerts).where(alerts.c.id == alert_id)
    if trouble:
        outcome = outcome.where(alerts.c.due_ms.is_not(None), alerts.c.tries == tries - 1)
    connection.execute(outcome.values(tries=tries, due_ms=due_ms, trouble=trouble))


def hold_back(connection: Connection, subscription_id: int, browser_id: int | None, until_ms: int) -> None:
    """Postpone the other alerts for a receiver that has just failed: the browser, or that of the subscription."""
    same = alerts.c.wish_id == subscription_id if browser_id is None else alerts.c.browser_id == browser_id
    waits = same & (alerts.c.due_ms < until_ms)
    connection.execute(update(alerts).where(waits).values(due_ms=until_ms))


class Outcome(NamedTuple):
    """The outcome of a subscription's newest alert that was tried or refused. `trouble` is "" if it was delivered."""

    at_ms: int
    tries: int
    trouble: str
    is_waiting: bool  # for another attempt


def newest_outcomes(connection: Connection, person_id: int) -> dict[int, Outcome]:
    """Return the newest outcomes by the ids of the person's subscriptions."""
    tried = (
        select(func.max(alerts.c.id))
        .join(alert_wishes, alert_wishes.c.id == alerts.c.wish_id)
        .where(alert_wishes.c.person_id == person_id, or_(alerts.c.tries > 0, alerts.c.trouble != ""))
        .group_by(alerts.c.wish_id)
    )
    query = select(alerts.c.wish_id, alerts.c.at_ms, alerts.c.tries, alerts.c.trouble, alerts.c.due_ms)
    return {
        row.wish_id: Outcome(row.at_ms, row.tries, row.trouble, row.due_ms is not None)
        for row in connection.execute(query.where(alerts.c.id.in_(tried)))
    }


def _alerted(unit_id: str | None, kind: str) -> Select[Any]:
    unit = alerts.c.unit_id == unit_id if unit_id is not None else alerts.c.unit_id.is_(None)
    return select(alerts.c.detail).where(unit, alerts.c.about == kind)


def _newest_id(connection: Connection, query: Select[Any]) -> int:
    return connection.execute(query.with_only_columns(func.max(alerts.c.id))).scalar() or 0


def _hold_downs(kind: str) -> str:
    return f"{kind} hold-downs"


def _cursor(connection: Connection, name: str) -> int:
    seen = connection.execute(select(alert_cursors.c.seen_id).where(alert_cursors.c.name == name)).scalar()
    return seen or 0


def _move_cursor(connection: Connection, name: str, seen_id: int) -> None:
    replace(connection, alert_cursors, [{"name": name, "seen_id": seen_id}])
