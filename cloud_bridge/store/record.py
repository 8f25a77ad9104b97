"""What a batch of arrivals changes in the tables. One transaction; the caller owns it."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, case, select
from sqlalchemy.dialects.sqlite import Insert, insert

from cloud_bridge.contact import Gap
from cloud_bridge.store.arrival import Arrival
from cloud_bridge.store.tables import contacts, events, heartbeats, listening, listening_gaps, results, sessions
from cloud_bridge.wire import Message


class Listened(NamedTuple):
    """A canary came through: we listened until then, and the gap, if any, ended with it."""

    until_ms: int
    gap: Gap | None


_COLUMNS: dict[str, tuple[Table, tuple[str, ...]]] = {  # journal kinds -> table and the columns read from the message
    "event": (events, ("boot", "sequence", "unit_time_s", "kind")),
    "session": (
        sessions,
        ("boot", "sequence", "unit_time_s", "started_s", "ended_s", "duration_s", "energy_wh", "reason"),
    ),
    "result": (results, ("boot", "sequence", "unit_time_s", "command", "ok", "reason")),
}


def _upsert_contacts() -> Insert:
    """Last contact only ever grows, whatever the order of the batches; the counters add up."""
    statement = insert(contacts)
    new, old = statement.excluded, contacts.c
    newer = new.last_contact_ms >= old.last_contact_ms
    return statement.on_conflict_do_update(
        index_elements=["unit_id"],
        set_={
            "last_contact_ms": case((newer, new.last_contact_ms), else_=old.last_contact_ms),
            "last_kind": case((newer, new.last_kind), else_=old.last_kind),
            "messages": old.messages + new.messages,
            "bad_payloads": old.bad_payloads + new.bad_payloads,
        },
    )


def _upsert_heartbeats() -> Insert:
    statement = insert(heartbeats)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["unit_id"], set_={"received_ms": new.received_ms, "payload": new.payload}
    )


_UPSERT_CONTACTS = _upsert_contacts()
_UPSERT_HEARTBEATS = _upsert_heartbeats()
_INSERT_NEW = {kind: insert(table).on_conflict_do_nothing() for kind, (table, _) in _COLUMNS.items()}


def record(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """Write a batch, in the order of arrival. Journal records that are there already stay as they are."""
    contact_of: dict[str, dict[str, Any]] = {}
    heartbeat_of: dict[str, dict[str, Any]] = {}
    journal: dict[str, list[dict[str, Any]]] = {}
    for arrival in arrivals:
        row = contact_of.get(arrival.unit_id)
        if row is None:
            row = contact_of[arrival.unit_id] = {
                "unit_id": arrival.unit_id,
                "last_contact_ms": 0,
                "messages": 0,
                "bad_payloads": 0,
            }
        if arrival.received_ms >= row["last_contact_ms"]:
            row["last_contact_ms"] = arrival.received_ms
            row["last_kind"] = arrival.kind
        row["messages"] += 1
        row["bad_payloads"] += arrival.bad
        if arrival.message is None:
            continue
        if arrival.kind == "heartbeat":
            heartbeat_of[arrival.unit_id] = {
                "unit_id": arrival.unit_id,
                "received_ms": arrival.received_ms,
                "payload": arrival.payload.decode(),
            }
        else:
            journal.setdefault(arrival.kind, []).append(_journal_row(arrival, arrival.message))
    connection.execute(_UPSERT_CONTACTS, list(contact_of.values()))
    if heartbeat_of:
        connection.execute(_UPSERT_HEARTBEATS, list(heartbeat_of.values()))
    for kind, rows in journal.items():
        connection.execute(_INSERT_NEW[kind], rows)


def _journal_row(arrival: Arrival, message: Message) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(message, name) for name in _COLUMNS[arrival.kind][1]}
    row["unit_id"] = arrival.unit_id
    row["received_ms"] = arrival.received_ms
    row["payload"] = arrival.payload.decode()
    return row


def record_listening(connection: Connection, canary: Listened) -> None:
    """The ledger's newest sign that we listen."""
    statement = insert(listening).values(id=1, until_ms=canary.until_ms)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"until_ms": statement.excluded.until_ms})
    )
    if canary.gap is not None:
        row = {"from_ms": canary.gap.from_ms, "to_ms": canary.gap.to_ms}
        connection.execute(insert(listening_gaps).on_conflict_do_nothing(), row)


def read_listening(connection: Connection) -> tuple[Iterable[Gap], int | None]:
    """The ledger as the process before this one left it: its gaps, oldest first, and when it last listened."""
    query = select(listening_gaps.c.from_ms, listening_gaps.c.to_ms).order_by(listening_gaps.c.from_ms)
    gaps = [Gap(row.from_ms, row.to_ms) for row in connection.execute(query)]
    return gaps, connection.execute(select(listening.c.until_ms)).scalar()
