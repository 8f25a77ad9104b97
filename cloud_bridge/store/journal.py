"""Store the records of units' journals, each once, however often it is delivered.

Boot and sequence identify a record, so a record with numbers that are stored is a repeat. But two charge points with
one identity, and one whose boot count was reset, use the same numbers for different records. The second record is
stored too, without its numbers in the columns; its payload has them.
"""

from typing import Any

from sqlalchemy import Connection, Table, select, tuple_

from cloud_bridge.duplicate_identity import is_same_time
from cloud_bridge.store.upsert import insert_into
from cloud_bridge.wire import BadPayload, read_object

COMPARED_AT_ONCE = 500  # records in a statement
KEPT_WITHOUT = 1000  # the newest records of a unit without numbers that are searched for a repeat
ADDED_LATER = ("t", "t0", "t1")  # when a unit learns the time, it adds these to records that it has not delivered yet


def insert_records(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert the rows that are not stored yet into a journal table."""
    statement = insert_into(connection.dialect.name, table).on_conflict_do_nothing()
    done = connection.execute(statement, rows, execution_options={"preserve_rowcount": True})
    if done.rowcount == len(rows):
        return
    for at in range(0, len(rows), COMPARED_AT_ONCE):
        _insert_others(connection, table, rows[at : at + COMPARED_AT_ONCE])


def without_stored(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that are not stored yet, of records without numbers that a cluster redelivers with the same
    timestamp."""
    left = []
    for row in rows:
        same = [table.c[name] == row[name] for name in ("unit_id", "received_ms", "payload")]
        if connection.execute(select(table.c.id).where(*same).limit(1)).first() is None:
            left.append(row)
    return left


def _insert_others(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert, without their numbers, the records whose numbers another record has."""
    numbers = (table.c.unit_id, table.c.boot, table.c.sequence)
    numbered = {_numbers(row): row for row in rows if None not in _numbers(row)}
    stored = {
        (unit_id, boot, sequence): payload
        for unit_id, boot, sequence, payload in connection.execute(
            select(*numbers, table.c.payload).where(tuple_(*numbers).in_(numbered))
        )
    }
    for row in rows:
        payload = stored.get(_numbers(row))
        if payload is None or _is_repeat(payload, row["payload"]):
            continue
        query = select(table.c.payload).where(table.c.unit_id == row["unit_id"], table.c.boot.is_(None))
        known = connection.execute(query.order_by(table.c.id.desc()).limit(KEPT_WITHOUT)).scalars()
        if not any(_is_repeat(one, row["payload"]) for one in known):
            connection.execute(table.insert(), row | {"boot": None, "sequence": None})


def _numbers(row: dict[str, Any]) -> tuple[Any, Any, Any]:
    return row["unit_id"], row["boot"], row["sequence"]


def _is_repeat(payload: str, other: str) -> bool:
    """Return whether both payloads are the same record, apart from times that were added later."""
    if payload == other:
        return True
    try:
        one, another = read_object(payload.encode()), read_object(other.encode())
    except (BadPayload, AttributeError):  # stored by an older version without checks, or not text
        return False
    return is_same_time(one.get("t"), another.get("t")) and _without_time(one) == _without_time(another)


def _without_time(said: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key not in ADDED_LATER}
