"""What changes when the mobile network is lost, and what does not?"""

import time

import pytest

from hil_tests.fixtures.cloud import Cloud
from hil_tests.rig.contract import Rig
from hil_tests.scenarios.system import CHARGING_WITHIN_S, Troubled, charging

pytestmark = pytest.mark.needs("pilot", "contactor", "light", "modem_line")

GRACE_S = 120
NOTICED_WITHIN_S = 50  # one heartbeat interval and two missing answers of 20 s until the unit notices the lost link
CONTACT_AGAIN_WITHIN_S = 60


@pytest.mark.timeout(900)
def test_does_the_charge_go_on_when_the_network_is_cut(garage: Troubled) -> None:
    """Does the garage, cut off since the start, charge without red, become standalone after the grace, and stay out of
    contact?"""
    left_s = GRACE_S + NOTICED_WITHIN_S - (time.monotonic() - garage.watch.started_s)
    garage.site.rig.wait_for(lambda seen: seen.mode == "standalone", max(1, left_s))
    assert garage.watch.broken() is None
    assert garage.site.cloud.look()["last_contact"] == garage.last_contact


def test_does_contact_come_back_with_the_network(garage: Troubled) -> None:
    """Does the garage get contact and become smart again, with the charge never interrupted?"""
    garage.site.rig.network(up=True)
    garage.site.cloud.wait_for(lambda told: told["last_contact"] > garage.last_contact, CONTACT_AGAIN_WITHIN_S)
    garage.site.rig.wait_for(lambda seen: seen.mode == "smart", within_s=10)
    assert garage.watch.broken() is None


def test_is_a_short_gap_healed(rig: Rig, cloud: Cloud) -> None:
    """Does contact continue after five seconds without coverage, in which the connection was half open?"""
    rig.network(up=False)
    time.sleep(5)
    last = cloud.look()["last_contact"]
    rig.network(up=True)
    cloud.wait_for(lambda told: told["last_contact"] > last, CONTACT_AGAIN_WITHIN_S)


@pytest.mark.needs("mains")
def test_does_a_unit_charge_that_boots_without_a_network(rig: Rig) -> None:
    """Does plugging in work on a unit that has had no coverage since it was switched on?"""
    rig.network(up=False)
    rig.mains(False)
    rig.wait_for(lambda seen: not seen.rail, within_s=1)
    rig.mains(True)
    rig.wait_for(lambda seen: seen.pilot == "A1", within_s=5)
    rig.plug()
    assert not rig.wait_for(charging, CHARGING_WITHIN_S).red
