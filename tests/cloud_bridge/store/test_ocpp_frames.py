"""Are the last frames of a charger stored, and no more, whichever process writes them?"""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from cloud_bridge.ingest.ocpp import frame_log
from cloud_bridge.ingest.ocpp.frame_log import FrameLog
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


def test_what_waits_is_bounded_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        add_unit(connection, "wall", START_MS, protocol=Protocol.OCPP)
    monkeypatch.setattr(frame_log, "FRAMES_WAITING", FRAMES_KEPT + 2)
    log = FrameLog(database)
    for number in range(60):
        log.note("wall", START_MS, str(number).encode())
    for _ in range(4):
        log.note("other", START_MS, b"x" * 10_000)
    assert log.left_out == 2
    log.write()
    log.write()
    with database.reading() as connection:
        assert [one.said for one in frames_of(connection, ALL)] == [str(number) for number in range(59, 9, -1)]
    database.close()


def test_of_many_that_talk_those_are_written_first_that_have_waited_longest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        for number in range(3):
            add_unit(connection, f"cp-{number}", START_MS, protocol=Protocol.OCPP)
    monkeypatch.setattr(frame_log, "WRITTEN_AT_ONCE", FRAMES_KEPT + 1)
    log = FrameLog(database)

    def kept() -> list[int]:
        with database.reading() as connection:
            return [len(frames_of(connection, Period(f"cp-{number}", 0, 0))) for number in range(3)]

    for number in (0, 1, 2):
        log.note(f"cp-{number}", START_MS, b"first")
    for _ in range(FRAMES_KEPT):
        log.note("cp-1", START_MS, b"again")
    log.write()
    assert kept() == [1, FRAMES_KEPT, 0]
    log.note("cp-0", START_MS, b"second")
    log.write()
    assert (kept(), log.left_out) == ([2, FRAMES_KEPT, 1], 0)
    log.write()  # nothing
    database.close()
