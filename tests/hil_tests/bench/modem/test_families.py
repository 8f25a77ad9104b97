"""Does the whole uplink come back on the modem of each family? All of `python -m hil_tests.bench.modem families`."""

import pytest

from hil_tests.bench.modem.families import PLAYED
from hil_tests.bench.modem.faults import FAULTS, outcome
from hil_tests.sim.modem.personality import BY_NAME

SWITCHES = {"best signal has no data from the start": 1}


@pytest.mark.parametrize("model", BY_NAME)
@pytest.mark.parametrize("name", PLAYED)
def test_there_is_contact_again_in_time(model: str, name: str) -> None:
    fault = next(fault for fault in FAULTS if fault.name == name)
    found = outcome(fault._replace(world={**fault.world, "model": model}), seed=2)
    assert found.held
    assert found.switches == SWITCHES.get(name, 0)
