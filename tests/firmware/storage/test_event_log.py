"""Are events stored, and can ordinary ones not displace those that concern security?"""

import os

from firmware.storage.event_log import EVERY_MS, FILES, FOLDER, LATEST, PER_FILE, EventLog
from tests.firmware.storage.folder import empty

FLASH = "build/tests-events"


def new():
    return EventLog(empty("tests-events"))


def test_the_latest_are_in_memory_and_bounded():
    log = new()
    for number in range(100):
        log.put(number, None, "mode", {"to": "smart"})
    assert len(log.latest()) == LATEST and log.latest()[-1] == [99, "mode", {"to": "smart"}]


def test_a_security_event_survives_a_restart_and_ten_thousand_ordinary_ones():
    """[S1-tamper]"""
    log = new()
    log.put(0, 1768206600, "tamper", {"open": True})
    for number in range(10000):
        log.put(number, None, "mode", {"to": "smart"})
    assert EventLog(FLASH).security(10) == [[1768206600, "tamper", {"open": True}, 0]]


def test_at_least_256_are_kept_and_the_oldest_go():
    log = new()
    for number in range(PER_FILE * FILES + 10):
        log.put(number * EVERY_MS, number, "security", {})
    again = EventLog(FLASH)
    kept = again.security(10000)
    assert len(kept) >= 256 and kept[-1][0] == PER_FILE * FILES + 9
    assert len(os.listdir(FLASH + FOLDER)) <= FILES


def test_a_rattling_lid_is_written_once_a_minute_and_counted():
    log = new()
    for now_ms in range(0, EVERY_MS, 100):
        log.put(now_ms, None, "tamper", {"open": now_ms % 200 == 0})
    log.put(EVERY_MS, None, "tamper", {"open": True})
    assert [entry[3] for entry in log.security(10)] == [0, 599]


def test_a_damaged_line_costs_itself_alone():
    log = new()
    for number in range(3):
        log.put(number * EVERY_MS, number, "security", {})
    with open(FLASH + FOLDER + "/0", "r+b") as file:
        file.write(b"ffff")
    assert [entry[0] for entry in EventLog(FLASH).security(10)] == [1, 2]


def test_one_thing_that_concerns_security_hides_no_other():
    log = new()
    log.put(0, 1, "security", {"what": "authority changed"})
    log.put(1000, 2, "security", {"broker": "The certificate has expired"})
    log.put(2000, 3, "security", {"what": "wrong installer code", "times": 1})
    log.put(3000, 4, "security", {"broker": "The certificate is of another name"})
    assert [entry[0] for entry in log.security(10)] == [1, 2, 3]


def test_security_events_that_the_flash_does_not_take_are_counted_and_no_others():
    log = EventLog("build/no-such-folder")
    log.put(0, None, "mode", {"to": "smart"})
    assert log.refused == 0
    for number in range(2):
        log.put(number * EVERY_MS, number, "security", {})
    assert log.refused == 2 and len(log.latest()) == 3
