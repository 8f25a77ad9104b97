"""Are the parts of a scenario equal for equal seeds, and as many as its shares say?"""

from collections import Counter

import pytest

from hil_tests.fleet.scenarios import (
    KILLS,
    KILLS_OF_CLUSTER,
    NETWORKS,
    SCENARIOS,
    Cast,
    Do,
    Manner,
    Scenario,
    Shares,
    parts,
    steps_of,
)

CAST = Cast(1000, 10.0, tls=0.1)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_cast_by_its_shares(name: str) -> None:
    scenario = SCENARIOS[name]
    cast = parts(scenario, CAST, 1)
    manners = Counter(part.manner for part in cast if not part.is_second_board)
    assert manners.total() == CAST.units
    for manner, share in scenario.shares._asdict().items():
        assert manners[Manner(manner)] == round(share * CAST.units)
    assert sum(part.is_second_board for part in cast) == round(scenario.shares.twins * CAST.units)
    assert sum(part.over_tls for part in cast if not part.is_second_board) == 100
    assert {part.plmn for part in cast} == set(NETWORKS)
    for step in scenario.steps:
        assert step.plmn in NETWORKS if step.do is Do.NETWORK_LOST else not step.plmn


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_a_scenario_kills_runs_beside_one_another(name: str) -> None:
    """A bridge, or a node and a worker of a cluster."""
    kills = {step.do for step in SCENARIOS[name].steps} & set(KILLS)
    assert kills <= {Do.KILL_BRIDGE} or kills <= set(KILLS_OF_CLUSTER)


def test_the_same_seed_casts_the_same() -> None:
    scenario = SCENARIOS["all"]
    assert parts(scenario, CAST, 1) == parts(scenario, CAST, 1) != parts(scenario, CAST, 2)


def test_units_connect_evenly_over_the_ramp_and_steps_come_after_it() -> None:
    cast = parts(SCENARIOS["all"], CAST, 1)
    boards = [part for part in cast if not part.is_second_board]
    assert [part.connect_at_s for part in boards] == [number / 100 for number in range(1000)]
    assert [step.at_s for step in steps_of(SCENARIOS["all"], 10)] == [25, 70, 130, 190]


def test_a_silent_unit_stops_while_the_others_go_on() -> None:
    for part in parts(Scenario("", 60, shares=Shares(silent=0.5)), CAST, 1):
        assert (part.stop_at_s is None) == (part.manner is not Manner.SILENT)
        assert part.stop_at_s is None or 10 <= part.stop_at_s <= 70


def test_a_second_board_has_dice_of_its_own() -> None:
    cast = parts(SCENARIOS["twins"], CAST, 1)
    twins = [part for part in cast if part.manner is Manner.TWIN]
    assert len({part.seed for part in twins}) == len(twins) == 2 * len({part.number for part in twins})
