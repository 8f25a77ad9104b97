"""What keeps the store small: signal by five minutes, and each table forgets after its own time."""

from sqlalchemy import BigInteger, Column, Connection, Table, and_, delete, func, literal, select

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
DAY_MS = 24 * 3600 * 1000
AT_ONCE = 5000  # rows deleted in one transaction: the recorder waits for it

KEPT_DAYS: list[tuple[Table, Column[int], int]] = [
    (signal, signal.c.received_ms, 1),
    (signal_5min, signal_5min.c.from_ms, 400),  # a year and a month: last winter beside this one
    (contact_gaps, contact_gaps.c.to_ms, 400),
    (transitions, transitions.c.at_ms, 400),
    (listening_gaps, listening_gaps.c.to_ms, 400),
    (events, events.c.received_ms, 400),
    (results, results.c.received_ms, 90),
    (rejected_messages, rejected_messages.c.received_ms, 90),
    (sessions, sessions.c.received_ms, 7 * 366),  # what a driver may have to show a tax office
    (alerts, alerts.c.at_ms, 90),
    (web_sessions, web_sessions.c.expires_ms, 0),
    (email_changes, email_changes.c.expires_ms, 0),
]


def roll_up_signal(connection: Connection, since_ms: int, now_ms: int) -> None:
    """Make the five-minute rows between `since_ms` and the end of the last whole bucket, anew where there are some."""
    first_ms, end_ms = since_ms - since_ms % BUCKET_MS, now_ms - now_ms % BUCKET_MS
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


def forget(connection: Connection, now_ms: int) -> int:
    """Delete what is older than it may be; at most AT_ONCE rows a table. Returns how many went: call again if any."""
    gone = 0
    for table, age, days in KEPT_DAYS:
        keys = list(table.primary_key)
        old = select(*keys).where(age < now_ms - days * DAY_MS).limit(AT_ONCE)
        for row in (rows := connection.execute(old).all()):
            connection.execute(delete(table).where(and_(*(key == value for key, value in zip(keys, row, strict=True)))))
        gone += len(rows)
    return gone
