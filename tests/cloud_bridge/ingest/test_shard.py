"""Does each unit belong to one process, and does every process know which others there are?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.ingest.shard import ALL, AT_DOOR, IN_CLUSTER, NONE, Shard
from cloud_bridge.paths import EVERY, OCPP


@given(st.text(max_size=36), st.integers(1, 9))
def test_each_unit_is_taken_in_by_exactly_one(unit_id: str, of: int) -> None:
    assert [Shard(number, of).takes(unit_id) for number in range(1, of + 1)].count(True) == 1


def test_units_are_spread_and_stay_where_they_are() -> None:
    taken = [sum(Shard(number, 3).takes(f"cp-{unit}") for unit in range(3000)) for number in (1, 2, 3)]
    assert sum(taken) == 3000 and min(taken) > 900
    assert Shard(3, 3).takes("cp-0"), "its CRC-32 is 1,523,942,882, in every process and for ever"


def test_one_alone_takes_in_all_and_none_takes_in_nothing() -> None:
    for shard in (ALL, IN_CLUSTER, AT_DOOR):
        assert shard.takes("cp-1")
    assert not NONE.takes("cp-1")


@pytest.mark.parametrize(
    ("shard", "is_alone"), [(ALL, True), (AT_DOOR, True), (IN_CLUSTER, False), (NONE, False), (Shard(1, 2), False)]
)
def test_who_is_alone(shard: Shard, is_alone: bool) -> None:
    assert shard.is_alone is is_alone


@pytest.mark.parametrize(
    ("shard", "others", "not_others"),
    [
        (ALL, [], [1, 2, EVERY, EVERY + 1]),
        (Shard(2, 3), [1, 3], [2, 4, EVERY, OCPP]),
        (IN_CLUSTER, [1, EVERY + 1, OCPP], [2, EVERY]),
        (AT_DOOR, [1], [OCPP, 2, EVERY]),
        (NONE, [0, 1, EVERY, OCPP], []),
    ],
)
def test_which_are_others_now(shard: Shard, others: list[int], not_others: list[int]) -> None:
    assert [number for number in others if not shard.is_other(number)] == []
    assert [number for number in not_others if shard.is_other(number)] == []


def test_its_names_at_the_broker_are_its_own() -> None:
    assert (Shard(2, 3).bridge_id, Shard(2, 3).canary_id) == ("_bridge-2", "_canary-2")
