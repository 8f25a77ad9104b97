"""Does the main thread read what the control thread has counted?"""

from firmware.charging import limits
from firmware.charging.exchange import WITHIN_MS, Exchange
from tests.firmware.charging.wired import Unit


def test_how_often_the_guard_opened_is_told_by_the_history_of_its_fault():
    assert Unit().exchange.guard_openings() == 0
    assert Unit(latched=("contactor_welded", "guard")).exchange.guard_openings() == 1


def test_the_longest_time_between_two_steps_is_taken_once():
    exchange = Unit().exchange
    exchange.worst_ms = 70
    assert exchange.take_worst_ms() == 70
    assert exchange.worst_taken, "the control thread is to begin it anew"


def test_a_new_one_asks_for_nothing_and_has_counted_nothing():
    setup, report = object(), object()
    exchange = Exchange(1000, setup, report, ())
    assert exchange.setup is setup and exchange.report is report and exchange.fault_history == ()
    assert exchange.claims == limits.unread(1000)
    asked = exchange.clear_wanted, exchange.test_wanted, exchange.worst_taken, exchange.inputs_wanted
    assert asked == (False, False, False, False)
    assert not exchange.link_proven and not exchange.powered
    assert exchange.delay_s == exchange.pauses == exchange.turns == 0
    assert exchange.closings == exchange.owed == exchange.worst_ms == 0
    assert exchange.apart == [0] * (len(WITHIN_MS) + 1)
    assert exchange.began_ms is None and exchange.pressed_ms is None and exchange.inputs == ()
    assert exchange.events.take() is None and exchange.ended.take() is None
