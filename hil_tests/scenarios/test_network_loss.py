"""The mobile network goes: what changes, and what must not."""

import time

import pytest

from hil_tests.fixtures.cloud import Cloud
from hil_tests.rig.contract import Rig
from hil_tests.scenarios.system import CHARGING_WITHIN_S, Troubled, charging

pytestmark = pytest.mark.needs("pilot", "contactor", "light", "modem_line")

GRACE_S = 120
NOTICED_WITHIN_S = 50  # that the link is gone: a heartbeat's interval, and two answers of 20 s that do not come
CONTACT_AGAIN_WITHIN_S = 60


@pytest.mark.timeout(900)
def test_does_the_charge_go_on_when_the_network_is_cut(garage: Troubled) -> None:
    """The garage, cut off since the start: charging, never red, standalone after the grace, not heard?"""
    left_s = GRACE_S + NOTICED_WITHIN_S - (time.monotonic() - garage.watch.started_s)
    garage.site.rig.wait_for(lambda seen: seen.mode == "standalone", max(1, left_s))
    assert garage.watch.broken() is None
    assert garage.site.cloud.look()["last_contact"] == garage.last_contact


def test_does_contact_come_back_with_the_network(garage: Troubled) -> None:
    """The garage again: contact, smart again, and the charge never stopped?"""
    garage.site.rig.network(up=True)
    garage.site.cloud.wait_for(lambda told: told["last_contact"] > garage.last_contact, CONTACT_AGAIN_WITHIN_S)
    garage.site.rig.wait_for(lambda seen: seen.mode == "smart", within_s=10)
    assert garage.watch.broken() is None


def test_is_a_short_gap_healed(rig: Rig, cloud: Cloud) -> None:
    """Five seconds without coverage, the connection half open meanwhile: contact goes on?"""
    rig.network(up=False)
    time.sleep(5)
    last = cloud.look()["last_contact"]
    rig.network(up=True)
    cloud.wait_for(lambda told: told["last_contact"] > last, CONTACT_AGAIN_WITHIN_S)


@pytest.mark.needs("mains")
def test_does_a_unit_charge_that_boots_without_a_network(rig: Rig) -> None:
    """No coverage since it was switched on: does plugging in still work?"""
    rig.network(up=False)
    rig.mains(False)
    rig.wait_for(lambda seen: not seen.rail, within_s=1)
    rig.mains(True)
    rig.wait_for(lambda seen: seen.pilot == "A1", within_s=5)
    rig.plug()
    assert not rig.wait_for(charging, CHARGING_WITHIN_S).red
