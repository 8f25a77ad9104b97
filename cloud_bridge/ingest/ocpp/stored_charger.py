"""Read the stored state of a charger that connects: its newest heartbeat, and the time of its last presence report."""

from typing import NamedTuple

from cloud_bridge.ingest.ocpp.charger import ChargerState, charger_of
from cloud_bridge.store.database import Database
from cloud_bridge.store.presence import presence_of
from cloud_bridge.store.units import newest_heartbeat
from cloud_bridge.wire import BadPayload, read_object


class Stored(NamedTuple):
    """The stored state of one charger."""

    charger: ChargerState
    told_ms: int  # the last report that it connected or disconnected, by that door's clock; 0 if there is none


def stored_charger(database: Database, unit_id: str) -> Stored:
    """Read a charger's state. It is empty if nothing valid is stored. Raises SQLAlchemyError."""
    with database.reading() as connection:
        payload = newest_heartbeat(connection, unit_id)
        told = presence_of(connection, [unit_id]).get(unit_id)
    return Stored(_charger(payload), 0 if told is None else told.changed_ms)


def _charger(payload: object) -> ChargerState:
    if not isinstance(payload, str):  # SQLite does not enforce column types, so check
        return ChargerState()
    try:
        return charger_of(read_object(payload.encode()))
    except BadPayload:
        return ChargerState()
