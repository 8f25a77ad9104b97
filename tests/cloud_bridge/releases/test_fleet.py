"""Does a whole simulated roll-out stop for a bad release, and reach all units with a good one?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.releases.roll_out_states import RollOutState, UnitState
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.roll_outs import count_states, find_roll_out, total
from tests.cloud_bridge.releases.fleet import Fleet
from tests.cloud_bridge.running import store_at

UNITS = 30
TURNS = 1000  # of ten minutes


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(store_at(tmp_path))
    yield database
    database.close()


@pytest.mark.parametrize(("bad", "state"), [(0.0, RollOutState.DONE), (1.0, RollOutState.STOPPED)])
def test_it_ends_as_it_should(database: Database, bad: float, state: RollOutState) -> None:
    fleet = Fleet(database, UNITS, bad, seed=5, resets_a_day=0.0)
    for _ in range(TURNS):
        fleet.turn()
        with database.reading() as connection:
            found = find_roll_out(connection, fleet.number)
            if found.state is not RollOutState.RUNNING:
                break
    assert found.state is state
    with database.reading() as connection:
        units = total(count_states(connection, fleet.number))
    if bad:
        assert units == {UnitState.WAITING: UNITS - 1, UnitState.ROLLED_BACK: 1}
    else:
        assert units.get(UnitState.GOOD, 0) >= UNITS // 2
        assert UnitState.WITHDRAWN not in units
