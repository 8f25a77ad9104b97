"""Does a door that was assumed gone let go of chargers that have moved to another door, and report all others again?"""

import asyncio
from unittest.mock import Mock

from cloud_bridge.ingest.ocpp.other_doors import OtherDoors
from cloud_bridge.store.database import Database
from cloud_bridge.store.ocpp_doors import leave, read_beats
from cloud_bridge.store.presence import Presence, record_presence
from cloud_bridge.store.units import Protocol, add_unit
from tests.cloud_bridge.running import START_MS, HandClock


def test_whoever_came_to_another_door_stays_there(database: Database) -> None:
    door = Mock(connected=Mock(return_value={"here": START_MS, "moved": START_MS, "earlier": START_MS}))
    others = OtherDoors(database, HandClock(), door, "a")
    asyncio.run(others.look())
    told = [
        Presence("here", True, "a", START_MS),
        Presence("moved", True, "b", START_MS + 1),
        Presence("earlier", False, "b", START_MS + 1),
    ]
    with database.writing() as connection:
        for one in told:
            add_unit(connection, one.unit_id, START_MS, protocol=Protocol.OCPP)
        record_presence(connection, told)
        leave(connection, "a")  # as another door does that assumes it gone
    door.reset_mock()
    asyncio.run(others.look())
    assert [call[0] for call in door.method_calls] == ["connected", "leave", "tell_again"]
    door.leave.assert_called_once_with("moved", START_MS + 1)
    door.reset_mock()
    asyncio.run(others.look())
    door.tell_again.assert_not_called()
    others.end()
    with database.reading() as connection:
        assert read_beats(connection) == {}
