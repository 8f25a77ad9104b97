"""Does the main thread read what the control thread has counted?"""

from tests.firmware.charging.wired import Unit


def test_how_often_the_guard_opened_is_told_by_the_history_of_its_fault():
    assert Unit().exchange.guard_openings() == 0
    assert Unit(latched=("contactor_welded", "guard")).exchange.guard_openings() == 1


def test_the_longest_time_between_two_steps_is_taken_once():
    exchange = Unit().exchange
    exchange.worst_ms = 70
    assert exchange.take_worst_ms() == 70
    assert exchange.worst_taken, "the control thread is to begin it anew"
