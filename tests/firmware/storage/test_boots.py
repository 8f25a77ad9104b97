"""Does every boot have a unique number, also after the flash was erased?"""

from firmware.storage import boots
from tests.firmware.storage.folder import empty

FOLDER = "build/tests-boots"


def count(cause="power_on", drawn=0, folder=FOLDER):
    return boots.count(folder, cause, lambda lowest, highest: drawn)


def test_boots_are_counted_and_never_fall():
    empty("tests-boots")
    assert [count().number for _ in range(3)] == [1, 2, 3]


def test_a_wiped_flash_does_not_begin_where_it_began_before():
    empty("tests-boots")
    former = [count(drawn=1000).number for _ in range(3)]
    empty("tests-boots")
    assert [count(drawn=77000000).number for _ in range(3)] == [77000001, 77000002, 77000003]
    assert former == [1001, 1002, 1003]


def test_a_new_life_begins_anywhere_below_a_small_integer():
    for drawn, number in ((lambda lowest, highest: lowest, 1), (lambda lowest, highest: highest, boots.FIRST_MAX + 1)):
        empty("tests-boots")
        assert boots.count(FOLDER, "power_on", drawn) == (number, 0, True)


def test_a_damaged_count_is_a_new_life():
    empty("tests-boots")
    count()
    with open(FOLDER + boots.FILE, "wb") as file:
        file.write(b"nonsense")
    assert count(drawn=500) == (501, 0, True)


def test_only_the_first_of_a_life_is_new():
    empty("tests-boots")
    assert [count().is_new for _ in range(3)] == [True, False, False]


def test_resets_by_the_watchdog_are_counted_in_a_row():
    empty("tests-boots")
    causes = ("power_on", "watchdog", "watchdog", "soft", "watchdog")
    assert [count(cause).watchdogs for cause in causes] == [0, 1, 2, 0, 1]


def test_a_boot_that_cannot_be_counted_has_no_number():
    assert count("watchdog", folder="build/no-such-folder") == (None, 1, True)
