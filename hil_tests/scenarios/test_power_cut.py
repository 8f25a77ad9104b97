"""Does the charge resume by itself after a power cut, without any network?"""

import time

import pytest

from hil_tests.rig.contract import Rig
from hil_tests.scenarios.system import CHARGING_WITHIN_S, CONSOLE_WITHIN_S, charging

pytestmark = pytest.mark.needs("pilot", "contactor", "light", "mains", "modem_line")
OFF_S = 5  # the rail is dead after 0.05 s, and the car has opened S2 after 1.5; a longer cut changes nothing
CHARGING_AFTER_BOOT_WITHIN_S = 5
KEPT_WITHIN_S = 1  # until it is on the flash
STAYS_RED_S = 2


def test_does_the_charge_resume_without_mains_and_network(rig: Rig) -> None:
    """Does the charge resume if mains and network are lost during it and the car stays plugged in?"""
    rig.plug()
    rig.wait_for(charging, CHARGING_WITHIN_S)
    before_wh = int(rig.wait_for(lambda seen: "total_wh" in seen.unit, CONSOLE_WITHIN_S).unit["total_wh"])
    rig.network(up=False)
    rig.mains(False)
    rig.wait_for(lambda seen: seen.pilot == "E" and not seen.contactor and not seen.rail, within_s=1)
    assert rig.observe().led == (0, 0, 0)
    time.sleep(OFF_S)
    rig.mains(True)
    rig.wait_for(lambda seen: seen.rail, within_s=1)
    seen = rig.wait_for(charging, CHARGING_AFTER_BOOT_WITHIN_S)
    assert not seen.red
    after_wh = int(rig.wait_for(lambda seen: "total_wh" in seen.unit, CONSOLE_WITHIN_S).unit["total_wh"])
    assert after_wh >= before_wh


def test_does_a_dip_of_the_mains_leave_no_fault(rig: Rig) -> None:
    """Does the unit charge again after a fifth of a second without mains, without red on the way?"""
    rig.plug()
    rig.wait_for(charging, CHARGING_WITHIN_S)
    rig.mains(False)
    time.sleep(0.2)
    rig.mains(True)
    rig.wait_for(charging, CHARGING_AFTER_BOOT_WITHIN_S + 1)
    assert not rig.observe().red


@pytest.mark.needs("power", "button")
def test_does_a_brown_out_keep_a_fault_that_waits_for_a_person(rig: Rig) -> None:
    """Is the light still red after a dip has restarted the processor, and not red after a press of the button?"""
    if "rcd_ac" not in rig.fault_names():
        pytest.skip("the rig cannot break rcd_ac")
    rig.plug()
    rig.wait_for(charging, CHARGING_WITHIN_S)
    rig.fault("rcd_ac", True)
    rig.wait_for(lambda seen: seen.red and seen.unit.get("faults") == "rcd_ac", CONSOLE_WITHIN_S)
    time.sleep(KEPT_WITHIN_S)  # also long enough for the cause to be taken for real
    rig.fault("rcd_ac", False)
    rig.mains(False)
    time.sleep(0.2)
    rig.mains(True)
    rig.wait_for(lambda seen: seen.unit.get("faults") is not None and any(seen.led), CONSOLE_WITHIN_S)
    rig.never(lambda seen: any(seen.led) and not seen.red, STAYS_RED_S)
    rig.button()
    rig.wait_for(charging, CHARGING_AFTER_BOOT_WITHIN_S)
