"""Does everything that must survive a power cut survive it, with few writes?"""

from firmware.storage.checkpoint import AGAIN_MS, EVERY_MS, FILE, FIRST_MS, Checkpoint
from tests.firmware.storage.folder import empty

FOLDER = "build/tests-checkpoint"
DAY_MS = 24 * 3600 * 1000


def new():
    return Checkpoint(empty("tests-checkpoint"), 0)


def test_what_begins_or_ends_is_stored_at_once_and_read_back():
    new().save(0, {"session": [1, 0, 0, 5000], "total_wh": 5000}, True)
    again = Checkpoint(FOLDER, 0)
    assert again.value["session"] == [1, 0, 0, 5000] and again.number("total_wh") == 5000


def test_a_value_that_does_not_change_is_written_once_in_a_day():
    checkpoint = new()
    for now_ms in range(0, DAY_MS, 10000):
        checkpoint.save(now_ms, {"total_wh": 5000}, False)
    assert checkpoint.writes == 1


def test_while_it_charges_it_is_written_less_than_every_five_minutes():
    checkpoint = new()
    for now_ms in range(0, 3600000, 1000):
        checkpoint.save(now_ms, {"total_wh": 5000 + now_ms}, False)
    assert checkpoint.writes <= 3600000 // EVERY_MS + 1
    assert FIRST_MS < EVERY_MS


def test_a_damaged_file_is_a_new_unit():
    new().save(0, {"total_wh": 5000}, True)
    with open(FOLDER + FILE, "r+b") as file:
        file.write(b"0000")
    assert Checkpoint(FOLDER, 0).value == {}


def test_a_value_of_another_kind_is_the_default():
    checkpoint = new()
    checkpoint.value = {"total_wh": "many", "sessions": -1, "meter_wh": 0}
    assert checkpoint.number("total_wh") == 0 and checkpoint.number("sessions", 5) == 5
    assert checkpoint.number("meter_wh", 5) == 0


def test_a_flash_that_refuses_is_asked_again_half_a_minute_later_and_not_before():
    checkpoint = Checkpoint("build/no-such-folder", 0)
    tries = []
    for now_ms in range(0, 3 * AGAIN_MS, 250):
        try:
            checkpoint.save(now_ms, {"session": 1}, now_ms == 0)
        except OSError:
            tries.append(now_ms)
    assert tries == [0, AGAIN_MS, 2 * AGAIN_MS]
