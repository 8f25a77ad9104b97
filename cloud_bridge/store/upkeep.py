"""Keeps the store small: each table has its own retention time.

Retention removes no more than corresponds to the time that has verifiably passed since it last did so
(verified_time.py): a table is cleared starting from where it was last cleared, not of everything that looks old to a
clock that may be wrong.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    select,
)

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.store.chunks import CHUNKED, in_chunks
from cloud_bridge.store.known_devices import DEVICE_DAYS
from cloud_bridge.store.partitions import PARTITIONED
from cloud_bridge.store.signal_averages import HOURS, rolled_up_until
from cloud_bridge.store.tables import (
    alerts,
    contact_gaps,
    duplicate_identities,
    email_changes,
    events,
    invitations,
    job_photos,
    known_devices,
    listening_gaps,
    member_invitations,
    ocpp_frames,
    over_quota,
    password_resets,
    pending_logins,
    power,
    rejected_messages,
    results,
    retention,
    security_events,
    sessions,
    signal,
    signal_5min,
    signal_hourly,
    transitions,
    unknown_clients,
    verified_time,
    web_sessions,
)
from cloud_bridge.store.upsert import replace
from cloud_bridge.store.vehicle_tables import ready_plans

TIME_COMMAND = "t-"  # commands that tell a unit the time have ids that begin with it
READ_AT_ONCE = 1000  # rows in memory at a time, of as many as there are units
FORGOTTEN_AT_ONCE = 200  # rows deleted in one step, often on as many different pages
STEPS_AHEAD = 20  # searched for at once: finding the oldest rows may mean reading the whole table


class Cleared(NamedTuple):
    """How far a table has been cleared of old rows.

    Older rows that nevertheless exist were written later by a clock that was behind: strays. Their timestamps say
    nothing about their age, so they are deleted when they have existed for as long as the rows of the table are kept.
    """

    until_ms: int
    strays_since_ms: int | None  # by verified time; None: there are none


class Kept(NamedTuple):
    """How long the rows of a table are kept."""

    table: Table
    age: Column[int]
    days: int
    at_once: int | None = None  # rows deleted in one step, if they are large; None: FORGOTTEN_AT_ONCE

    def between(self, from_ms: int | None, to_ms: int) -> ColumnElement[bool]:
        """The condition for rows of that time; with None as the beginning, all older ones."""
        newer = () if from_ms is None else (self.age >= from_ms,)
        return and_(*newer, self.age < to_ms, in_chunks(self.age, from_ms, to_ms))


KEPT = [
    Kept(signal, signal.c.received_ms, 1),
    Kept(power, power.c.received_ms, 2),  # a vehicle at home for a weekend
    Kept(signal_5min, signal_5min.c.from_ms, 32),  # the longest span shown on pages, and the day in which it began
    Kept(signal_hourly, signal_hourly.c.from_ms, 400),  # a year and a month, to compare last winter with this one
    Kept(contact_gaps, contact_gaps.c.to_ms, 400),
    Kept(transitions, transitions.c.at_ms, 400),
    Kept(duplicate_identities, duplicate_identities.c.last_ms, 1),  # duplicate_identity.CLEAR_AFTER_MS
    Kept(over_quota, over_quota.c.at_ms, 1),
    Kept(ocpp_frames, ocpp_frames.c.at_ms, 30),
    Kept(unknown_clients, unknown_clients.c.last_ms, 30),
    Kept(listening_gaps, listening_gaps.c.to_ms, 400),
    Kept(events, events.c.received_ms, 400),
    Kept(results, results.c.received_ms, 90),
    Kept(rejected_messages, rejected_messages.c.received_ms, 90),
    Kept(sessions, sessions.c.received_ms, 7 * 366),  # a driver may have to show them to a tax office
    Kept(alerts, alerts.c.at_ms, 90),
    Kept(job_photos, job_photos.c.at_ms, 400, 4),  # a warranty year and a month; each has up to 640 kB
    Kept(security_events, security_events.c.at_ms, 180),
    Kept(web_sessions, web_sessions.c.expires_ms, 0),
    Kept(pending_logins, pending_logins.c.expires_ms, 0),
    Kept(known_devices, known_devices.c.since_ms, DEVICE_DAYS),
    Kept(email_changes, email_changes.c.expires_ms, 0),
    Kept(invitations, invitations.c.expires_ms, 0),
    Kept(member_invitations, member_invitations.c.expires_ms, 0),
    Kept(password_resets, password_resets.c.expires_ms, 0),
    Kept(ready_plans, ready_plans.c.ready_ms, 2),
]
KEPT_FIVE_MINUTES = next(kept for kept in KEPT if kept.table is signal_5min)


def read_cleared(connection: Connection, kept: Kept) -> Cleared | None:
    """How far a table has been cleared. None: never."""
    query = select(retention.c.until_ms, retention.c.strays_since_ms).where(retention.c.name == kept.table.name)
    row = connection.execute(query).one_or_none()
    return None if row is None else Cleared(*row)


def five_minutes_since(connection: Connection) -> int:
    """From when on there are five-minute averages of the signal; before that there are hourly ones."""
    return connection.execute(select(retention.c.until_ms).where(retention.c.name == signal_5min.name)).scalar() or 0


def record_cleared(connection: Connection, kept: Kept, cleared: Cleared) -> None:
    replace(connection, retention, [{"name": kept.table.name, **cleared._asdict()}])


def may_go_until(connection: Connection, kept: Kept, to_ms: int) -> int:
    """Up to when rows of the table may be deleted, if `to_ms` is the end of their retention. Five-minute averages are
    deleted by whole hours, and only after the hourly average is computed; chunks and partitions are deleted as a
    whole."""
    if kept.table is signal_5min:
        to_ms = min(to_ms, rolled_up_until(connection, HOURS))
        to_ms -= to_ms % HOUR_MS
    of_database = PARTITIONED if connection.dialect.name == "postgresql" else CHUNKED
    if kept.table in of_database:
        to_ms -= to_ms % of_database[kept.table].width_ms
    return to_ms


def has_rows(connection: Connection, kept: Kept, to_ms: int) -> bool:
    """Whether any row is older than `to_ms`."""
    return connection.execute(select(kept.age).where(kept.between(None, to_ms)).limit(1)).first() is not None


def oldest_ends(connection: Connection, kept: Kept, from_ms: int | None, to_ms: int) -> list[int]:
    """The end times of the next steps of deleting the oldest rows of that time: each step has `at_once` rows and those
    of the same millisecond. There are at most STEPS_AHEAD; empty: there are no rows. Without an index on the age this
    reads the whole table, so it should be called outside the transaction that deletes."""
    at_once = kept.at_once or FORGOTTEN_AT_ONCE
    oldest = select(kept.age).where(kept.between(from_ms, to_ms)).order_by(kept.age)
    ages = connection.execute(oldest.limit(at_once * STEPS_AHEAD)).scalars().all()
    last_of_steps = [*ages[at_once - 1 :: at_once], *ages[-1:]]
    return sorted({int(age) + 1 for age in last_of_steps})


def forget(connection: Connection, kept: Kept, from_ms: int | None, to_ms: int) -> None:
    """Delete the rows of that time in one statement."""
    connection.execute(delete(kept.table).where(kept.between(from_ms, to_ms)))


def read_verified(connection: Connection) -> int | None:
    """The verified time as last stored; None: never."""
    return connection.execute(select(verified_time.c.at_ms)).scalar()


def record_verified(connection: Connection, verified_ms: int) -> None:
    replace(connection, verified_time, [{"id": 1, "at_ms": verified_ms}])


def told_the_time(connection: Connection) -> Iterator[str]:
    """The units that have answered when we told them the time (telling_time.py), some more than once: their clocks
    agree with ours."""
    query = select(results.c.unit_id).where(results.c.command.startswith(TIME_COMMAND), results.c.ok.is_(True))
    yield from connection.execution_options(yield_per=READ_AT_ONCE).execute(query).scalars()
