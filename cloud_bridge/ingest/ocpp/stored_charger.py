"""A charger as the store knows it when it comes: by its newest heartbeat, and by the door that told of it last."""

from typing import NamedTuple

from cloud_bridge.ingest.ocpp.charger import ChargerState, charger_of
from cloud_bridge.store.database import Database
from cloud_bridge.store.presence import presence_of
from cloud_bridge.store.units import newest_heartbeat
from cloud_bridge.wire import BadPayload, read_object


class Stored(NamedTuple):
    """Of one charger."""

    charger: ChargerState
    told_ms: int  # when a door told last that it is connected or gone, by that door's clock; 0: none has


def stored_charger(database: Database, unit_id: str) -> Stored:
    """One of which nothing is known, where nothing valid is stored. Raises SQLAlchemyError."""
    with database.reading() as connection:
        payload = newest_heartbeat(connection, unit_id)
        told = presence_of(connection, [unit_id]).get(unit_id)
    return Stored(_charger(payload), 0 if told is None else told.changed_ms)


def _charger(payload: object) -> ChargerState:
    if not isinstance(payload, str):  # SQLite keeps anything
        return ChargerState()
    try:
        return charger_of(read_object(payload.encode()))
    except BadPayload:
        return ChargerState()
