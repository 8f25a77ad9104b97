"""A charger as its newest heartbeat left it in the store."""

from cloud_bridge.ingest.ocpp.charger import ChargerState, charger_of
from cloud_bridge.store.database import Database
from cloud_bridge.store.units import newest_heartbeat
from cloud_bridge.wire import BadPayload, read_object


def stored_charger(database: Database, unit_id: str) -> ChargerState:
    """One of which nothing is known, where nothing valid is stored. Raises SQLAlchemyError."""
    with database.reading() as connection:
        payload = newest_heartbeat(connection, unit_id)
    if not isinstance(payload, str):  # SQLite keeps anything
        return ChargerState()
    try:
        return charger_of(read_object(payload.encode()))
    except BadPayload:
        return ChargerState()
