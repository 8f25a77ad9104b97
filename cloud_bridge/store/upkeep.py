"""What keeps the store small: signal by five minutes, and each table forgets after its own time."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, Table, bindparam, delete, func, literal, select

from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.tables import (
    alerts,
    contact_gaps,
    email_changes,
    events,
    listening_gaps,
    rejected_messages,
    results,
    sessions,
    signal,
    signal_5min,
    transitions,
    web_sessions,
)
from cloud_bridge.store.upsert import insert_into

BUCKET_MS = 5 * 60 * 1000
LATE_MS = 15 * 60 * 1000  # buckets this young are made again: a way in that was down hands in what it kept
FORGOTTEN_AT_ONCE = 500  # rows deleted in one transaction: the recorder waits for it


class Kept(NamedTuple):
    """How long the rows of a table are kept."""

    table: Table
    age: Column[int]
    days: int

    @property
    def keys(self) -> list[Column[Any]]:
        return list(self.table.primary_key)

    @property
    def key_names(self) -> list[str]:
        return [f"key_{number}" for number in range(len(self.keys))]

    def is_old(self, now_ms: int) -> ColumnElement[bool]:
        return self.age < now_ms - self.days * DAY_MS


KEPT = [
    Kept(signal, signal.c.received_ms, 1),
    Kept(signal_5min, signal_5min.c.from_ms, 400),  # a year and a month: last winter beside this one
    Kept(contact_gaps, contact_gaps.c.to_ms, 400),
    Kept(transitions, transitions.c.at_ms, 400),
    Kept(listening_gaps, listening_gaps.c.to_ms, 400),
    Kept(events, events.c.received_ms, 400),
    Kept(results, results.c.received_ms, 90),
    Kept(rejected_messages, rejected_messages.c.received_ms, 90),
    Kept(sessions, sessions.c.received_ms, 7 * 366),  # what a driver may have to show a tax office
    Kept(alerts, alerts.c.at_ms, 90),
    Kept(web_sessions, web_sessions.c.expires_ms, 0),
    Kept(email_changes, email_changes.c.expires_ms, 0),
]


def rolled_up_until(connection: Connection, now_ms: int) -> int:
    """Where the process before this one left off: the five-minute rows are made in order. A day ago at the earliest."""
    newest_ms = connection.execute(select(func.max(signal_5min.c.from_ms))).scalar()
    return max(now_ms - DAY_MS, newest_ms or 0)


def whole_buckets(since_ms: int, now_ms: int) -> Iterator[int]:
    """The beginnings of the five minutes from the one that `since_ms` is in to the last whole one."""
    return iter(range(since_ms - since_ms % BUCKET_MS, now_ms - now_ms % BUCKET_MS, BUCKET_MS))


def roll_up_signal(connection: Connection, first_ms: int) -> None:
    """Make the rows of the five minutes that begin then, anew where there are some."""
    end_ms = first_ms + BUCKET_MS
    bucket = (signal.c.received_ms - signal.c.received_ms % literal(BUCKET_MS, BigInteger)).label("from_ms")
    made = (
        select(
            signal.c.unit_id,
            bucket,
            signal.c.operator,
            func.min(signal.c.csq).label("lowest"),
            func.max(signal.c.csq).label("highest"),
            func.sum(signal.c.csq).label("total"),
            func.count().label("samples"),
        )
        .where(signal.c.received_ms >= first_ms, signal.c.received_ms < end_ms)
        .group_by(signal.c.unit_id, bucket, signal.c.operator)
    )
    statement = insert_into(connection.dialect.name, signal_5min).from_select(
        [column.name for column in made.selected_columns], made
    )
    values = {name: statement.excluded[name] for name in ("lowest", "highest", "total", "samples")}
    keys = ["unit_id", "from_ms", "operator"]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))


def outdated(connection: Connection, kept: Kept, now_ms: int) -> list[dict[str, Any]]:
    """The keys of rows that are older than they may be, FORGOTTEN_AT_ONCE at most. Without an index on the age this
    looks at the whole table, so it is to be asked outside the transaction that deletes."""
    query = select(*kept.keys).where(kept.is_old(now_ms)).limit(FORGOTTEN_AT_ONCE)
    return [dict(zip(kept.key_names, row, strict=True)) for row in connection.execute(query)]


def forget(connection: Connection, kept: Kept, keys: list[dict[str, Any]], now_ms: int) -> None:
    """Delete these rows, but for those that have been given more time since."""
    those = [key == bindparam(name) for name, key in zip(kept.key_names, kept.keys, strict=True)]
    connection.execute(delete(kept.table).where(*those, kept.is_old(now_ms)), keys)
