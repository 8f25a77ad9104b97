"""What keeps the store small: each table forgets after its own time.

Retention removes no more than the time that has verifiably passed since it last did (verified_time.py): a table is
cleared from where it was cleared last, and not of all that looks old to a clock that may be wrong.
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

TIME_COMMAND = "t-"  # how the ids of commands begin that tell a unit the time
READ_AT_ONCE = 1000  # rows that are in memory together, of as many as there are units
FORGOTTEN_AT_ONCE = 200  # rows deleted in one step, on as many pages or more
STEPS_AHEAD = 20  # looked for at once: to find the oldest rows can mean to read the whole table


class Cleared(NamedTuple):
    """How far a table has been cleared of old rows.

    Rows that are older, and yet there, were written since by a clock that was behind: strays. Their stamps say nothing
    of their age, so they go when they have been there for as long as the rows of the table are kept.
    """

    until_ms: int
    strays_since_ms: int | None  # by verified time; None: there are none


class Kept(NamedTuple):
    """How long the rows of a table are kept."""

    table: Table
    age: Column[int]
    days: int
    at_once: int | None = None  # rows deleted in one step, where they are large; None: FORGOTTEN_AT_ONCE

    def between(self, from_ms: int | None, to_ms: int) -> ColumnElement[bool]:
        """Rows of that time; with None all that are older."""
        newer = () if from_ms is None else (self.age >= from_ms,)
        return and_(*newer, self.age < to_ms, in_chunks(self.age, from_ms, to_ms))


KEPT = [
    Kept(signal, signal.c.received_ms, 1),
    Kept(power, power.c.received_ms, 2),  # a vehicle at home for a weekend
    Kept(signal_5min, signal_5min.c.from_ms, 32),  # the longest span of the pages, and the day it began in
    Kept(signal_hourly, signal_hourly.c.from_ms, 400),  # a year and a month: last winter beside this one
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
    Kept(sessions, sessions.c.received_ms, 7 * 366),  # what a driver may have to show a tax office
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
    """None: never."""
    query = select(retention.c.until_ms, retention.c.strays_since_ms).where(retention.c.name == kept.table.name)
    row = connection.execute(query).one_or_none()
    return None if row is None else Cleared(*row)


def five_minutes_since(connection: Connection) -> int:
    """From when on signal is there by five minutes; before it there are hours."""
    return connection.execute(select(retention.c.until_ms).where(retention.c.name == signal_5min.name)).scalar() or 0


def record_cleared(connection: Connection, kept: Kept, cleared: Cleared) -> None:
    replace(connection, retention, [{"name": kept.table.name, **cleared._asdict()}])


def may_go_until(connection: Connection, kept: Kept, to_ms: int) -> int:
    """Up to when its rows may be deleted, where `to_ms` is the end of their time: five minutes go by whole hours, and
    not before the hour is made of them; what is in chunks or partitions goes with the whole of one."""
    if kept.table is signal_5min:
        to_ms = min(to_ms, rolled_up_until(connection, HOURS))
        to_ms -= to_ms % HOUR_MS
    of_database = PARTITIONED if connection.dialect.name == "postgresql" else CHUNKED
    if kept.table in of_database:
        to_ms -= to_ms % of_database[kept.table].width_ms
    return to_ms


def has_rows(connection: Connection, kept: Kept, to_ms: int) -> bool:
    """Whether any row is older than that."""
    return connection.execute(select(kept.age).where(kept.between(None, to_ms)).limit(1)).first() is not None


def oldest_ends(connection: Connection, kept: Kept, from_ms: int | None, to_ms: int) -> list[int]:
    """Where the oldest rows of that time end, step by step: `at_once` of them and those of the same millisecond, at
    most STEPS_AHEAD times; empty: there are none. Without an index on the age this looks at the whole table: to be asked
    outside the transaction that deletes."""
    at_once = kept.at_once or FORGOTTEN_AT_ONCE
    oldest = select(kept.age).where(kept.between(from_ms, to_ms)).order_by(kept.age)
    ages = connection.execute(oldest.limit(at_once * STEPS_AHEAD)).scalars().all()
    last_of_steps = [*ages[at_once - 1 :: at_once], *ages[-1:]]
    return sorted({int(age) + 1 for age in last_of_steps})


def forget(connection: Connection, kept: Kept, from_ms: int | None, to_ms: int) -> None:
    """Delete the rows of that time in one statement."""
    connection.execute(delete(kept.table).where(kept.between(from_ms, to_ms)))


def read_verified(connection: Connection) -> int | None:
    """As it was stored last; None: never."""
    return connection.execute(select(verified_time.c.at_ms)).scalar()


def record_verified(connection: Connection, verified_ms: int) -> None:
    replace(connection, verified_time, [{"id": 1, "at_ms": verified_ms}])


def told_the_time(connection: Connection) -> Iterator[str]:
    """The units that have answered when we told them the time (telling_time.py), some more than once: their clock is ours."""
    query = select(results.c.unit_id).where(results.c.command.startswith(TIME_COMMAND), results.c.ok.is_(True))
    yield from connection.execution_options(yield_per=READ_AT_ONCE).execute(query).scalars()
