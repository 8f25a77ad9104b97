"""Does a disturbed modem disturb nothing else?"""

import time

import pytest

from hil_tests.fixtures.cloud import Cloud
from hil_tests.rig.contract import Rig
from hil_tests.scenarios.system import CHARGING_WITHIN_S, Troubled, charging

pytestmark = pytest.mark.needs("pilot", "contactor", "light", "modem_line")

CONTACT_AGAIN_WITHIN_S = 60
CONTACT_AFTER_A_HANG_WITHIN_S = 90


@pytest.mark.parametrize("how", ["garbage", "brown_out", "drop_pdp"])
def test_does_the_unit_charge_and_come_back(rig: Rig, cloud: Cloud, how: str) -> None:
    """Does the charge go on, does nothing turn red, and does the contact return by itself?"""
    rig.plug()
    rig.wait_for(charging, CHARGING_WITHIN_S)
    cloud.wait_for(lambda told: told["state"] == "C2", CHARGING_WITHIN_S)
    rig.disturb_modem(how)
    last = cloud.look()["last_contact"]
    cloud.wait_for(lambda told: told["last_contact"] > last, CONTACT_AGAIN_WITHIN_S)
    seen = rig.observe()
    assert charging(seen)
    assert not seen.red


def test_is_a_modem_that_hangs_cured(shed: Troubled) -> None:
    """Is there contact again for the shed, whose modem hung at the start and then had another speed, and did its charge
    go on?"""
    left_s = CONTACT_AFTER_A_HANG_WITHIN_S - (time.monotonic() - shed.watch.started_s)
    shed.site.cloud.wait_for(lambda told: told["last_contact"] > shed.last_contact, max(1, left_s))
    assert shed.watch.broken() is None
