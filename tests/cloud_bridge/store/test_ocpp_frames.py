"""Are the last frames of a charger stored, and no more, whichever process writes them?"""

from pathlib import Path

from sqlalchemy import func, select

from cloud_bridge.store.database import open_database
from cloud_bridge.store.ocpp_frames import FRAMES_KEPT, KeptFrame, frames_of, record_frames
from cloud_bridge.store.ownership import Period
from cloud_bridge.store.tables import ocpp_frames
from cloud_bridge.store.units import Protocol, add_unit
from tests.cloud_bridge.running import START_MS, store_at

ALL = Period("wall", 0, 0)


def frame(number: int) -> KeptFrame:
    return KeptFrame(START_MS + number, False, str(number), None)


def test_the_newest_are_kept_in_slots_of_each_charger(tmp_path: Path) -> None:
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        for unit_id in ("wall", "other"):
            add_unit(connection, unit_id, START_MS, protocol=Protocol.OCPP)
        record_frames(connection, {"wall": [frame(0)], "other": [frame(7)], "nobody": [frame(1)]})
        for first in range(1, 199, 9):
            record_frames(connection, {"wall": [frame(number) for number in range(first, first + 9)]})
        found = frames_of(connection, ALL)
        assert [one.said for one in found] == [str(number) for number in range(198, 198 - FRAMES_KEPT, -1)]
        record_frames(connection, {"wall": [frame(number) for number in range(199, 400)]})
        assert [one.said for one in frames_of(connection, ALL)][:2] == ["399", "398"]
        assert connection.execute(select(func.count()).select_from(ocpp_frames)).scalar() == FRAMES_KEPT + 1
        assert frames_of(connection, Period("wall", START_MS + 399, 0)) == [frame(399)]
    database.close()
