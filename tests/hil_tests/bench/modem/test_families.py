"""Does the unit's uplink keep its connection and leave a weak network with every supported modem? In virtual time."""

from typing import Any

import pytest

from hil_tests.bench.families import MODELS
from hil_tests.bench.modem.charge_point import ChargePoint
from hil_tests.bench.modem.families import PLAYED
from hil_tests.bench.modem.faults import FAULTS, outcome
from hil_tests.sim.modem.personality import BY_NAME
from hil_tests.sim.modem.world_file import scene

MINUTE_S = 60
VODAFONE = {"plmn": "23415", "name": "vodafone UK", "csq": 22}
O2 = {"plmn": "23410", "name": "O2 - UK", "csq": 20}
EE = {"plmn": "23430", "name": "EE", "csq": 21}
STEADY_S = 20 * MINUTE_S
LEFT_WITHIN_S = 25 * MINUTE_S  # a quarter of an hour, some minutes until the smoothed signal follows, and a scan
SETTLED_S = 12 * MINUTE_S


def steps(unit: ChargePoint) -> list[tuple[str, Any]]:
    """Return the network decisions, except decisions to stay."""
    return [(one["do"], one.get("o")) for _, kind, one in unit.events if kind == "network" and one["do"] != "stay"]


@pytest.mark.parametrize("model", MODELS)
def test_a_connection_that_nothing_disturbs_is_kept(model: str) -> None:
    unit = ChargePoint(scene({"model": model, "operators": [VODAFONE, O2]}, seed=3))
    try:
        unit.run(STEADY_S)
        assert len(unit.broker.accepted) == 1 and not steps(unit), unit.uplink.trouble
        model_and_family = [details for _, kind, details in unit.events if kind == "modem"]
        assert [one["model"] for one in model_and_family] == [BY_NAME[model].model]
    finally:
        unit.close()


@pytest.mark.parametrize("model", MODELS)
def test_a_weak_network_is_left_for_a_better_one(model: str) -> None:
    """EE is the strongest when the unit scans, and weaker than Vodafone once it serves.

    If the scan reports no signal, the switch to EE is a trial, and O2 is next.
    """
    unit = ChargePoint(scene({"model": model, "operators": [VODAFONE, O2, EE]}, seed=3))
    world, since_s = unit.modem.world, {"weak": 0.0}

    def lives_on() -> bool:
        now_s = unit.loop.time()
        if unit.broker.contacts and not since_s["weak"]:
            since_s["weak"] = now_s
            world.set_signal("23415", 6)
        if unit.modem.plmn == "23430":
            world.set_signal("23430", 2)
        return bool(since_s["weak"]) and now_s > since_s["weak"] + LEFT_WITHIN_S + SETTLED_S

    try:
        unit.run(LEFT_WITHIN_S + SETTLED_S + 5 * MINUTE_S, lives_on)
        taken = steps(unit)
        assert taken[0] == ("survey", "23415")
        if not BY_NAME[model].measures_all_cells:
            assert taken[1:] == [("switch", "23430"), ("switch", "23410")]
            assert unit.modem.plmn == "23410"
        assert unit.loop.time() - unit.broker.contacts[-1] < 2 * MINUTE_S
    finally:
        unit.close()


@pytest.mark.parametrize("name", PLAYED)
@pytest.mark.parametrize("model", [model for model in MODELS if model != "SIM800L"])  # test_faults.py tests it
def test_there_is_contact_again_in_time(model: str, name: str) -> None:
    fault = next(fault for fault in FAULTS if fault.name == name)
    found = outcome(fault._replace(world={**fault.world, "model": model}), seed=2)
    assert found.held, found
