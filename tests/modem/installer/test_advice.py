"""What advice does the installer get, and in which order are the remedies tried?"""

import pytest

from modem import signal
from modem.installer import advice as advise
from modem.installer.advice import advice
from modem.installer.readings import Network
from tests.modem.installer.fake import EE, O2, VODAFONE


def measured(csq: int, count: int = 10) -> signal.Verdict:
    verdict: signal.Verdict = signal.verdict([csq] * count)
    return verdict


def test_a_pass_needs_nothing() -> None:
    assert advice(measured(15), "23415", [VODAFONE, O2]).do == advise.NOTHING


def test_another_network_comes_before_a_booster() -> None:
    given = advice(measured(6), "23415", [O2, VODAFONE])
    assert given.do == advise.OTHER_NETWORK
    assert "O2 - UK would pass here with CSQ 19" in given.text
    assert "No booster is needed" in given.text


def test_the_network_in_use_is_not_another_one() -> None:
    in_use = O2._replace(csq=16)
    assert advice(measured(14), "23410", [in_use]).do == advise.MOVE_ANTENNA


def test_a_forbidden_network_is_not_advised() -> None:
    assert advice(measured(6), "23415", [O2._replace(forbidden=True), VODAFONE]).do == advise.BOOSTER


@pytest.mark.parametrize(("csq", "do"), [(14, "move antenna"), (11, "move antenna"), (10, "signal booster")])
def test_a_little_missing_is_for_the_antenna_and_much_for_a_booster(csq: int, do: str) -> None:
    assert advice(measured(csq), "23415", [VODAFONE, EE]).do == do


def test_exactly_14_is_said_to_be_1_short() -> None:
    assert "1 CSQ (2 dB) short" in advice(measured(14), "23415", [VODAFONE]).text


def test_networks_that_were_not_measured_are_not_said_to_be_weaker() -> None:
    text = advice(measured(10), "23415", [VODAFONE._replace(csq=None), O2._replace(csq=None)]).text
    assert "No other network here is stronger" not in text and "cannot measure the signal" in text


def test_a_modem_for_lte_that_hears_nothing_is_not_said_to_need_another() -> None:
    given = advice(measured(99), None, [], hears_lte=True)
    assert given.do == advise.NO_NETWORK
    assert "2G" not in given.text and "LTE" not in given.text


@pytest.mark.parametrize("csq", [99, 3])
def test_no_network_at_all_is_not_a_weak_one(csq: int) -> None:
    given = advice(measured(csq), None, [])
    assert given.do == advise.NO_2G
    assert "LTE-M" in given.text


def test_networks_without_a_registration_point_at_the_sim() -> None:
    assert advice(measured(99), None, [O2]).do == advise.LOOK_AT_SIM


def test_too_few_readings_ask_for_more() -> None:
    assert advice(measured(20, count=9), "23415", None).do == advise.MEASURE_AGAIN


def test_a_nameless_network_goes_by_its_digits() -> None:
    assert "23420 would pass" in advice(measured(6), "23415", [Network("23420", None, 20, 1)]).text
