"""Must a new version prove what matters, and does a missing network not count against it?"""

import pytest

from firmware.update.trial import LATE_MS, LIVED_MS, SETTLED_MS, Trial
from tests.firmware.update.scene import Exchange


def test_ten_minutes_and_a_proven_link():
    trial, exchange = Trial(1000, "trial"), Exchange()
    exchange.link_proven = True
    assert trial.look(2000, exchange) is None
    exchange.link_proven = False  # once is enough
    assert trial.look(LIVED_MS + 999, exchange) is None
    assert trial.look(LIVED_MS + 1000, exchange) == "proved"
    assert trial.look(LIVED_MS + 1020, exchange) is None
    assert trial.look(SETTLED_MS + 1000, exchange) == "lived"
    assert trial.look(SETTLED_MS + 1020, exchange) is None


def test_without_a_network_it_waits_for_a_charge_for_weeks():
    trial, exchange = Trial(0, "trial"), Exchange()
    for day in range(60):
        assert trial.look(day * SETTLED_MS, exchange) is None
    exchange.report.contactor = True
    assert trial.look(61 * SETTLED_MS, exchange) is None
    exchange.report.contactor = False
    assert trial.look(61 * SETTLED_MS + 20, exchange) == "proved"


def test_a_charge_that_a_fault_has_ended_proves_nothing():
    trial, exchange = Trial(0, "trial"), Exchange()
    exchange.report.contactor = True
    trial.look(LIVED_MS, exchange)
    exchange.report.contactor, exchange.report.faults = False, ("rcd_ac",)
    assert trial.look(LIVED_MS + 20, exchange) is None
    exchange.report.faults = ()
    assert trial.look(LIVED_MS + 40, exchange) is None


@pytest.mark.parametrize("state", ["trial", "good"])
def test_a_late_loop_is_told_once(state):
    trial, exchange = Trial(0, state), Exchange()
    exchange.worst_ms = LATE_MS - 1
    assert trial.look(20, exchange) is None
    exchange.worst_ms = LATE_MS
    assert trial.look(40, exchange) == "late"
    assert trial.look(60, exchange) is None


def test_one_that_is_good_has_only_to_live():
    trial, exchange = Trial(0, "good"), Exchange()
    assert trial.look(SETTLED_MS - 1, exchange) is None
    assert trial.look(SETTLED_MS, exchange) == "lived"
