"""Evidence of a unit, from the store and the live state of the running bridge up to now."""

from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.store.units import Unit
from cloud_bridge.support.evidence import Evidence, Heard, gather
from cloud_bridge.web.presentation.view import charge_point, path_of


def evidence_of(app_state: AppState, connection: Connection, unit: Unit, from_ms: int, to_ms: int) -> Evidence:
    point = charge_point(app_state, unit)
    heard = Heard(point.last_contact_ms, app_state.ledger.open_gaps(point.now_ms), point.now_ms, path_of(unit))
    return gather(connection, unit.period, from_ms, to_ms, unit.silent_after_ms, heard)
