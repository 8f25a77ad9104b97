"""Has every fault of the firmware a text, and advice that a driver can safely follow?"""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge import ocpp_words
from cloud_bridge.alerts.kinds import AlertKind, Happening, words
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.faults import KEEP_AWAY, KNOWN, PRESS_ONCE, WAIT_FOR_A_PERSON, in_words, what_to_do
from cloud_bridge.store.access import Role
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge, Unit

RULES = Path(__file__).parents[2] / "firmware/charging/README.md"  # a separate test compares it with the firmware
TABLE = RULES.read_text().partition("<!-- faults -->")[2].partition("<!-- end -->")[0]
CLEARS = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", TABLE, re.MULTILINE))
RAW = re.compile(r"\b[a-z]+_[a-z_]+\b")  # a name of the firmware
LEAKS = ("rcd_ac", "rcd_dc")


def test_are_they_all_there() -> None:
    assert CLEARS.keys() == KNOWN.keys()
    waits = {name for name, how in CLEARS.items() if "by a person" in how and "unplug" not in how}
    assert waits == WAIT_FOR_A_PERSON


@pytest.mark.parametrize("name", KNOWN)
def test_is_the_advice_in_words_and_of_this_fault(name: str) -> None:
    [(title, advice)] = what_to_do([name])
    assert title == in_words(name) and not RAW.search(title + advice)
    assert advice.endswith(".") and len(advice) < 500


@pytest.mark.parametrize("name", KNOWN)
def test_is_nobody_told_to_open_to_test_or_to_reset(name: str) -> None:
    [(_, advice)] = what_to_do([name])
    for asked in re.findall(r"\b(?:open|reset|test button|breaker|screw|measure)\b", advice):
        assert re.search(rf"[Dd]o not [^.]*\b{asked}\b", advice), asked


def test_is_the_button_told_only_where_it_is_needed_and_safe() -> None:
    """Not after a failed self-test nor with a welded contactor: what clears those hides them."""
    told = {name for name in KNOWN if PRESS_ONCE in what_to_do([name])[0][1]}
    assert told == {*LEAKS, "contactor_stuck_open"} < WAIT_FOR_A_PERSON
    assert "charger once." in PRESS_ONCE and "do not press again" in PRESS_ONCE


@given(st.lists(st.sampled_from([*sorted(KNOWN), "some_new_fault"]), unique=True))
def test_does_one_fault_that_may_not_be_pressed_away_end_that_for_all(names: list[str]) -> None:
    may_not = {"rcd_selftest", "contactor_welded", "some_new_fault"} & set(names)
    assert not may_not or not any("press the button on the charger" in advice for _, advice in what_to_do(names))
    assert all(
        "electrician" in advice for name, (_, advice) in zip(names, what_to_do(names), strict=True) if name in LEAKS
    )


@pytest.mark.parametrize("name", LEAKS)
def test_does_a_leak_say_when_to_unplug_and_when_to_leave_it(name: str) -> None:
    [(_, advice)] = what_to_do([name])
    assert "dry and undamaged" in advice and "electrician" in advice
    assert "water" in KEEP_AWAY and "keep away" in KEEP_AWAY


@pytest.mark.parametrize("name", ["some_new_fault", "x" * 200])
def test_is_a_fault_that_we_do_not_know_no_bare_name(name: str) -> None:
    [(title, advice)] = what_to_do([name])
    assert title.startswith("A fault that we do not know (") and name[:40] in title and len(title) < 80
    assert "button" not in advice


@pytest.mark.parametrize(("fault", "presses"), [("rcd_dc", True), ("supply", False), ("contactor_welded", False)])
def test_does_the_dashboard_say_how_the_red_light_ends(bridge: Bridge, fault: str, presses: bool) -> None:
    """The button, only where unplugging is not enough?"""
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.publish("cp/cp-1/heartbeat", f'{{"n":1,"b":1,"s":"A1","f":["{fault}"]}}'.encode())
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    said = olga.read("/")
    assert in_words(fault) in said and in_words(fault) in olga.read("/fleet")
    assert ("press the button on the charger" in said) is presses


def test_does_an_alert_say_it_in_words() -> None:
    assert "(Earth leakage (DC))" in words(Happening(AlertKind.FAULT, "cp-1", 0, "rcd_dc"), "The garage")
    assert "(A fault that we do not know (new_one))" in words(Happening(AlertKind.FAULT, "cp-1", 0, "new_one"), "It")


def test_does_a_silent_charger_with_a_fault_not_ask_to_switch_it_off_and_on(bridge: Bridge) -> None:
    """That clears a latched fault (firmware/charging/README.md), and there is still the way to help."""
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.publish("cp/cp-1/heartbeat", b'{"n":1,"b":1,"s":"A1","f":["rcd_dc"]}')
    bridge.clock.advance(31 * MINUTE_MS)
    said = Visitor(bridge, "olga", Role.OPERATOR).read("/")
    assert "We have not heard from your charger for 31 minutes" in said and "Earth leakage (DC)" in said
    assert (
        "Switch it on again" not in said and "Do not switch the charger off and on" in said and "Ask for help" in said
    )


@pytest.mark.parametrize("name", [f"ocpp_{code}" for code in ocpp_words.FAULTS])
def test_a_fault_of_another_makers_charger_has_safe_words_and_no_light_of_ours(name: str) -> None:
    [(title, advice)] = what_to_do([name])
    assert advice.endswith(".") and len(advice) < 500 and not RAW.search(title + advice)
    assert "button on the charger" not in advice and "red light" not in title + advice
    said = words(Happening(AlertKind.FAULT, "wall", 0, name), "wall")
    assert title in said and "red light" not in said
