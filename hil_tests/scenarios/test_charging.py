"""Does a car charge when it is plugged in?"""

import pytest

from hil_tests.fixtures.cloud import Cloud
from hil_tests.rig.contract import Rig
from hil_tests.scenarios.system import CHARGING_WITHIN_S, charging

pytestmark = pytest.mark.needs("pilot", "contactor")
ACCURACY_A = 0.1  # of the instruments


@pytest.mark.needs("power", "light")
def test_does_a_car_that_is_plugged_in_charge(rig: Rig) -> None:
    """Is the state C2, the contactor closed and current offered?"""
    rig.plug()
    rig.wait_for(charging, CHARGING_WITHIN_S)
    seen = rig.wait_for(lambda seen: seen.power_w > 1000, within_s=5)
    assert not seen.red


def test_does_the_contactor_open_when_the_plug_is_pulled(rig: Rig) -> None:
    """And does the unit wait for a car again? `python -m hil_tests.bench latency` measures how soon the contactor opens."""
    rig.plug()
    rig.wait_for(charging, CHARGING_WITHIN_S)
    rig.unplug()
    rig.wait_for(lambda seen: not seen.contactor, within_s=0.3)
    rig.wait_for(lambda seen: seen.pilot == "A1", within_s=2)


@pytest.mark.needs("modem_line")
def test_does_the_cloud_see_the_charge(rig: Rig, cloud: Cloud) -> None:
    """Do the state, the current and the end of the charge reach the cloud?"""
    rig.plug()
    rig.wait_for(charging, CHARGING_WITHIN_S)
    told = cloud.wait_for(lambda told: told["state"] == "C2", within_s=5)
    assert told["amps"] >= 6
    rig.unplug()
    cloud.wait_for(lambda told: told["state"] == "A1", within_s=5)


@pytest.mark.needs("power")
def test_is_no_more_drawn_than_offered(rig: Rig) -> None:
    """Does the car draw no more than the duty cycle permits, and does the meter count it?"""
    rig.plug()
    rig.wait_for(charging, CHARGING_WITHIN_S)
    seen = rig.wait_for(lambda seen: seen.power_w > 6000, within_s=6)
    assert seen.vehicle.current_a <= seen.amps + ACCURACY_A
    rig.wait_for(lambda seen: int(seen.unit.get("session_wh", 0)) > 0, within_s=5)
