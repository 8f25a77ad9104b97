"""Does a world file give each model its own delays and technology, and override them with its own values?"""

import pytest

from hil_tests.sim.modem.personality import BY_NAME
from hil_tests.sim.modem.radio import GSM, LTE_M, Span
from hil_tests.sim.modem.world_file import scene


@pytest.mark.parametrize("model", sorted(BY_NAME))
def test_does_a_model_bring_its_own_world(model: str) -> None:
    one = scene({"model": model})
    kind = BY_NAME[model]
    assert one.personality is kind
    assert one.world.latencies == kind.latencies
    assert {operator.act for operator in one.world.operators} == {LTE_M if kind.lte else GSM}


def test_does_what_is_said_count() -> None:
    rows = [{"plmn": "23415", "name": "a", "csq": 9, "act": GSM}, {"plmn": "23410", "name": "b", "csq": 8}]
    one = scene({"model": "EC21", "latencies": {"boot": [1, 2]}, "operators": rows})
    assert one.world.latencies.boot == Span(1, 2)
    assert [operator.act for operator in one.world.operators] == [GSM, LTE_M]
