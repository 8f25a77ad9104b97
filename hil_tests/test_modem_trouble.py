"""Trouble with the modem: does it stay with the modem?"""

import pytest

from hil_tests.cloud import Cloud
from hil_tests.conftest import CHARGING_WITHIN_S, charging
from hil_tests.rig.contract import Rig

CONTACT_AGAIN_WITHIN_S = {"garbage": 60, "hang": 90, "brown_out": 60, "drop_pdp": 60}


@pytest.mark.parametrize("how", CONTACT_AGAIN_WITHIN_S)
def test_does_the_unit_charge_and_come_back(rig: Rig, cloud: Cloud, how: str) -> None:
    """The charge goes on, nothing turns red, and there is contact again by itself?"""
    rig.plug()
    rig.wait_for(charging, CHARGING_WITHIN_S)
    cloud.wait_for(lambda told: told["contact"] == "online" and told["state"] == "C2", within_s=60)
    rig.disturb_modem(how)
    rig.wait_for(lambda seen: charging(seen) and not seen.red, within_s=0.1)
    last = cloud.look()["last_contact"]
    cloud.wait_for(lambda told: told["last_contact"] > last, CONTACT_AGAIN_WITHIN_S[how])
    seen = rig.observe()
    assert charging(seen)
    assert not seen.red
