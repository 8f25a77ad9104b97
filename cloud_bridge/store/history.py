"""What has been: gaps, signal, sessions and events of one unit, oldest first. Who may ask is the caller's business."""

from typing import Any

from sqlalchemy import Connection, Table, select

from cloud_bridge.contact import Gap
from cloud_bridge.store.tables import contact_gaps, events, listening_gaps, sessions, signal, signal_5min, units

MAX_ROWS = 10_000  # of one answer: a month of signal by five minutes


def first_contact_ms(connection: Connection, unit_id: str) -> int | None:
    """None: never heard."""
    return connection.execute(select(units.c.first_contact_ms).where(units.c.id == unit_id)).scalar()


def unit_gaps(connection: Connection, unit_id: str, from_ms: int, to_ms: int) -> list[Gap]:
    """Gaps between two contacts that touch the window."""
    return _gaps(connection, contact_gaps, from_ms, to_ms, contact_gaps.c.unit_id == unit_id)


def our_gaps(connection: Connection, from_ms: int, to_ms: int) -> list[Gap]:
    """Times in which we were not listening that touch the window."""
    return _gaps(connection, listening_gaps, from_ms, to_ms)


def _gaps(connection: Connection, table: Table, from_ms: int, to_ms: int, *conditions: Any) -> list[Gap]:
    query = (
        select(table.c.from_ms, table.c.to_ms)
        .where(table.c.to_ms > from_ms, table.c.from_ms < to_ms, *conditions)
        .order_by(table.c.from_ms)
        .limit(MAX_ROWS)
    )
    return [Gap(*row) for row in connection.execute(query)]


def signal_raw(connection: Connection, unit_id: str, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """Each heartbeat's CSQ and operator; kept for a day."""
    return _rows(connection, signal, signal.c.received_ms, unit_id, from_ms, to_ms)


def signal_by_five_minutes(connection: Connection, unit_id: str, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """Lowest, highest, total and samples of each five minutes and operator."""
    return _rows(connection, signal_5min, signal_5min.c.from_ms, unit_id, from_ms, to_ms)


def unit_sessions(connection: Connection, unit_id: str, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """Charging sessions, by when they reached us."""
    return _rows(connection, sessions, sessions.c.received_ms, unit_id, from_ms, to_ms)


def unit_events(connection: Connection, unit_id: str, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """Journal records, by when they reached us."""
    return _rows(connection, events, events.c.received_ms, unit_id, from_ms, to_ms)


def _rows(
    connection: Connection, table: Table, at: Any, unit_id: str, from_ms: int, to_ms: int
) -> list[dict[str, Any]]:
    query = select(table).where(table.c.unit_id == unit_id, at >= from_ms, at < to_ms).order_by(at).limit(MAX_ROWS)
    return [dict(row._mapping) for row in connection.execute(query)]
