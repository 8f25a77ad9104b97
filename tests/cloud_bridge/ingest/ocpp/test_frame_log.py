"""Do the last frames of chargers reach the store in bounded turns, and is what is left out counted?"""

from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from cloud_bridge.ingest.ocpp import frame_log
from cloud_bridge.ingest.ocpp.frame_log import MAX_READ, FrameLog
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.ocpp_frames import FRAMES_KEPT, KeptFrame, frames_of
from cloud_bridge.store.ownership import Period
from cloud_bridge.store.units import Protocol, add_unit
from tests.cloud_bridge.running import START_MS, store_at

ALL = Period("wall", 0, 0)


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


def test_a_frame_is_kept_masked_with_its_answer_and_whose_it_was(tmp_path: Path) -> None:
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        add_unit(connection, "wall", START_MS, protocol=Protocol.OCPP)
    log = FrameLog(database)
    log.note("wall", START_MS, b'[2,"1","Authorize",{}]', '[3,"1",{}]')
    log.note("wall", START_MS + 1, b'[2,"2","Reset",{}]', is_ours=True)
    log.note("wall", START_MS + 2, b"\xff")
    log.write()
    with database.reading() as connection:
        assert frames_of(connection, ALL) == [
            KeptFrame(START_MS + 2, False, "\ufffd", None),
            KeptFrame(START_MS + 1, True, '[2,"2","Reset",{}]', None),
            KeptFrame(START_MS, False, '[2,"1","Authorize",{}]', '[3,"1",{}]'),
        ]
    database.close()


class Gone(Database):
    """A database that went away."""

    def __init__(self) -> None:
        self.asked = 0

    def writing(self) -> None:  # type: ignore[override]  # it never gets so far
        self.asked += 1
        raise OperationalError("BEGIN", None, Exception("gone"))


def test_what_cannot_be_written_is_given_up_and_counted() -> None:
    database = Gone()
    log = FrameLog(database)
    for unit_id in ("wall", "other", "wall"):
        log.note(unit_id, START_MS, b"x" * (MAX_READ + 1))
    with pytest.raises(SQLAlchemyError):
        log.write()
    log.write()
    assert (log.left_out, database.asked) == (3, 1)


def test_room_is_given_back_when_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_log, "FRAMES_WAITING", 2)
    log = FrameLog(Gone())
    for _ in range(3):
        for number in range(2):
            log.note(f"cp-{number}", START_MS, b"x")
        with pytest.raises(SQLAlchemyError):
            log.write()
    assert log.left_out == 6, "none for want of room"
