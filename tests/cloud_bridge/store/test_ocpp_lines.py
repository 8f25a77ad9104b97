"""Does a charger with a long heartbeat interval become silent later, and as the operator set it once it accepts the
setting?"""

from sqlalchemy import Connection, select

from cloud_bridge.contact import SILENT_AFTER_MS
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.store.ocpp_lines import LONGEST_MS, line_of, record_own_intervals
from cloud_bridge.store.tables import units
from cloud_bridge.store.units import Protocol, add_unit, set_silent_after
from tests.cloud_bridge.running import START_MS, Bridge


def silent_after_ms(connection: Connection) -> int:
    found: int = connection.execute(select(units.c.silent_after_ms).where(units.c.id == "wall")).scalar_one()
    return found


def test_what_the_operator_has_set_is_back_once_it_answers(bridge: Bridge) -> None:
    with bridge.app_state.database.writing() as connection:
        add_unit(connection, "wall", START_MS, protocol=Protocol.OCPP)
        set_silent_after(connection, "wall", HOUR_MS)
        record_own_intervals(connection, {"wall": None, "nobody": None})
        assert silent_after_ms(connection) == HOUR_MS and not line_of(connection, "wall").is_rare
        for hours in (4, 5):
            record_own_intervals(connection, {"wall": hours * 3600, "nobody": 3600})
            assert silent_after_ms(connection) == hours * HOUR_MS + SILENT_AFTER_MS
        assert line_of(connection, "wall").is_rare
        record_own_intervals(connection, {"wall": None})
        assert silent_after_ms(connection) == HOUR_MS and not line_of(connection, "wall").is_rare


def test_what_the_operator_sets_meanwhile_stays(bridge: Bridge) -> None:
    with bridge.app_state.database.writing() as connection:
        add_unit(connection, "wall", START_MS, protocol=Protocol.OCPP)
        record_own_intervals(connection, {"wall": 48 * 3600})
        assert silent_after_ms(connection) == LONGEST_MS
        set_silent_after(connection, "wall", 2 * HOUR_MS)
        record_own_intervals(connection, {"wall": None})
        assert silent_after_ms(connection) == 2 * HOUR_MS


def test_a_unit_of_ours_is_as_it_is_set(bridge: Bridge) -> None:
    with bridge.app_state.database.writing() as connection:
        add_unit(connection, "wall", START_MS)
        record_own_intervals(connection, {"wall": 4 * 3600})
        assert silent_after_ms(connection) == SILENT_AFTER_MS
