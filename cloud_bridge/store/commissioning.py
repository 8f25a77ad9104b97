"""The commissioning record of each unit, from its newest event `commissioned`.

It describes the circuit of the unit, whoever the owner is. Everybody who sees the unit sees the record, and it is kept
as long as the unit. It contains no data of a driver, but the name with which the installer has signed.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from cloud_bridge.commissioning import VIA, Steps, steps_of
from cloud_bridge.contact import is_believable
from cloud_bridge.store.inbound_message import InboundMessage
from cloud_bridge.store.readable import readable
from cloud_bridge.store.tables import commissionings, units
from cloud_bridge.store.upsert import Insert, execute_each, insert_into
from cloud_bridge.wire import Event

EVENT = "commissioned"


class Record(NamedTuple):
    at_ms: int  # by the unit's clock, or else when the event was received
    steps: Steps
    via: str  # one of VIA
    firmware: str | None  # None if not known


def commissioned_in(messages: Sequence[InboundMessage]) -> list[dict[str, Any]]:
    """Return a row for each unit with such an event, from its last one. Invalid events are skipped, and stay events."""
    rows = {one.unit_id: row for one in messages if (row := _row(one)) is not None}
    return [rows[unit_id] for unit_id in sorted(rows)]


def record_commissionings(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Store the rows, which must be sorted by unit id."""
    if not rows:
        return
    of = select(units.c.id, units.c.firmware).where(units.c.id.in_([row["unit_id"] for row in rows]))
    runs: dict[str, str | None] = {unit_id: version for unit_id, version in connection.execute(of)}
    for row in rows:
        row["firmware"] = runs.get(row["unit_id"])
    execute_each(connection, _newest(connection.dialect.name), rows)


def commissioning_of(connection: Connection, unit_id: str) -> Record | None:
    """Return the unit's record, or None. The caller must check that the asker may see the unit."""
    found = readable(_COLUMNS, connection.execute(select(*_COLUMNS).where(commissionings.c.unit_id == unit_id)))
    for at_ms, via, firmware, *steps in found:
        return Record(at_ms, Steps(*steps), via, firmware)
    return None


def _row(one: InboundMessage) -> dict[str, Any] | None:
    message = one.message
    if not isinstance(message, Event) or message.kind != EVENT or not message.details:
        return None
    steps, via = steps_of(message.details), message.details.get("via")
    if steps is None or via not in VIA:
        return None
    told_ms = (message.unit_time_s or 0) * 1000
    at_ms = told_ms if told_ms and is_believable(told_ms, one.received_ms) else one.received_ms
    row = {"unit_id": one.unit_id, "at_ms": at_ms, "received_ms": one.received_ms, "via": via, "installer": steps.by}
    return row | {name: value for name, value in steps._asdict().items() if name != "by"}


_OF = commissionings.c
_COLUMNS = (_OF.at_ms, _OF.via, _OF.firmware, _OF.amps, _OF.earth, _OF.rcd_ms, _OF.csq, _OF.boost, _OF.installer)


@cache
def _newest(dialect: str) -> Insert:
    statement = insert_into(dialect, commissionings)
    new = statement.excluded
    values = {column.name: new[column.name] for column in commissionings.c if column.name != "unit_id"}
    return statement.on_conflict_do_update(
        index_elements=["unit_id"], set_=values, where=new.received_ms >= commissionings.c.received_ms
    )
