"""Has every fault that the firmware knows its words, and the advice that ends it?"""

import re
from pathlib import Path

import pytest

from cloud_bridge.alerts.kinds import AlertKind, Happening, words
from cloud_bridge.faults import WAIT_FOR_A_PERSON, WORDS
from cloud_bridge.store.access import Role
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge, Unit

RULES = Path(__file__).parents[2] / "firmware/charging/README.md"  # held to the firmware by a test of its own
TABLE = RULES.read_text().partition("<!-- faults -->")[2].partition("<!-- end -->")[0]
CLEARS = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", TABLE, re.MULTILINE))


def test_are_they_all_there() -> None:
    assert CLEARS.keys() == WORDS.keys()
    waits = {name for name, how in CLEARS.items() if "by a person" in how and "unplug" not in how}
    assert waits == WAIT_FOR_A_PERSON


@pytest.mark.parametrize(("fault", "presses"), [("rcd_dc", True), ("supply", False)])
def test_does_the_dashboard_say_how_the_red_light_ends(bridge: Bridge, fault: str, presses: bool) -> None:
    """The button, only where unplugging is not enough?"""
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.publish("cp/cp-1/heartbeat", f'{{"n":1,"b":1,"s":"A1","f":["{fault}"]}}'.encode())
    said = Visitor(bridge, "olga", Role.OPERATOR).read("/")
    assert WORDS[fault] in said
    assert ("press the button on the charger" in said) is presses


def test_does_an_alert_say_it_in_words() -> None:
    assert "(Earth leakage (DC))" in words(Happening(AlertKind.FAULT, "cp-1", 0, "rcd_dc"), "The garage")
