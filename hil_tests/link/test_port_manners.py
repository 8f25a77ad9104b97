"""Does a unit charge and reach its cloud although its clock starts in 2000, or its runtime has no TLS 1.3?"""

from math import inf
from pathlib import Path

import pytest

from hil_tests.rig.rigs import RigKind, kinds
from hil_tests.scenarios.system import CHARGING_WITHIN_S, charging, running

TIME_SCALE = 2  # contact within two minutes, or not at all
CASES = {
    "TLS 1.2 alone": ("tls_1_2",),
    "a clock in 2000": ("clock_2000", "no_network_time"),
    "both, and stalls": ("tls_1_2", "clock_2000", "no_network_time", "stalls"),
}


@pytest.mark.parametrize("case", CASES)
def test_does_it_charge_and_reach_the_cloud(tmp_path: Path, case: str) -> None:
    """The whole chain from nothing, with a certificate just made. Does the boot event name the TLS version?"""
    offers, faults = kinds()["virtual"].offers, kinds()["virtual"].faults
    kind = RigKind(name=case, offers=offers, faults=faults, time_scale=TIME_SCALE, manners=CASES[case])
    with running(kind, tmp_path) as system:
        rig = system.house.rig
        rig.plug()
        rig.wait_for(charging, CHARGING_WITHIN_S)
        assert system.first_contact_after_s < inf, (rig.observe().unit.get("trouble"), rig.full_log())
        (boot,) = [line for line in rig.console("log") if " boot " in line]
        assert ("tls=1.2" if "tls_1_2" in CASES[case] else "tls=1.3") in boot
