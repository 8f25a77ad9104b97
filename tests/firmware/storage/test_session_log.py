"""Are twelve months of sessions stored, within the limit?"""

import os

from firmware.storage.session_log import FILES, FOLDER, PER_FILE, SessionLog, Stored
from tests.firmware.storage.folder import empty

FLASH = "build/tests-sessions"
DAY_S = 86400
START_S = 1767225600


def new():
    return SessionLog(empty("tests-sessions"))


def test_400_sessions_are_read_back_366_days_later():
    """[R9]"""
    log = new()
    written = [
        Stored(number, START_S + number * DAY_S * 366 // 400, 3600, 3000, 7000 + number) for number in range(1, 401)
    ]
    for stored in written:
        log.append(stored)
    later = SessionLog(FLASH)
    assert later.last_number() == 400
    found: list = []
    while len(found) < 400:
        page = later.read(len(found) + 1, 20)
        assert 0 < len(page) <= 20
        found.extend(page)
    assert found == written
    assert found[-1].start_s - found[0].start_s >= 364 * DAY_S


def test_the_oldest_make_room_and_2048_are_kept():
    log = new()
    for number in range(1, PER_FILE * (FILES + 2)):
        log.append(Stored(number, 0, 1, 1, 1))
    last = PER_FILE * (FILES + 2) - 1
    assert log.last_number() == last
    assert [stored.number for stored in log.read(last - 2047, 2)] == [last - 2047, last - 2046]
    assert log.read(1, 1)[0].number > 1
    assert len(os.listdir(FLASH + FOLDER)) == FILES


def test_a_damaged_record_costs_itself_alone():
    log = new()
    for number in range(1, 4):
        log.append(Stored(number, 0, 1, 1, 1))
    with open(FLASH + FOLDER + "/0", "r+b") as file:
        file.seek(30)
        file.write(b"\xff")
    assert [stored.number for stored in log.read(1, 10)] == [1, 3]
    assert log.last_number() == 3


def test_a_unit_without_sessions_has_none():
    assert new().last_number() == 0 and new().read(1, 10) == []
