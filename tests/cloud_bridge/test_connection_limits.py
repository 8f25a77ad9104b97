"""Does a crowd stay within its limits by closing the oldest, and do all file limits leave some files for the rest?"""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.client_address import network_of
from cloud_bridge.connection_limits import (
    KEPT_BACK,
    MAX_UNITS,
    MAX_UNPROVEN_OF_NETWORK,
    Crowd,
    divide,
    files_for,
)

MOST, OF_NETWORK = 6, 3


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["a", "b", "c", None]), st.booleans()), max_size=60))
def test_a_crowd_is_bounded_and_the_oldest_goes(steps: list[tuple[int, str | None, bool]]) -> None:
    """Compared with a plain list of the members."""
    crowd, members = Crowd[int](MOST, OF_NETWORK), list[tuple[int, str | None]]()
    for member, network, enters in steps:
        if enters:
            out = crowd.enter(member, network)
            members = [one for one in members if one[0] != member] + [(member, network)]
            if out is not None:
                gone = next(one for one in members if one[0] == out)
                same = [one for one in members if one[1] == gone[1]]
                assert gone == (same[0] if network and len(same) > OF_NETWORK else members[0])
                members.remove(gone)
        else:
            assert crowd.leave(member) == (member in [one[0] for one in members])
            members = [one for one in members if one[0] != member]
        assert len(crowd) == len(members) <= MOST
        assert all(count <= OF_NETWORK for network, count in Counter(one[1] for one in members).items() if network)
    assert [crowd.oldest_out() for _ in members] == [one[0] for one in members]
    assert crowd.oldest_out() is None


@given(st.integers(64, 2**40))
def test_connections_leave_files_for_the_rest(files: int) -> None:
    budget = divide(files)
    assert budget.units + budget.pages <= files - min(KEPT_BACK, files // 2)
    assert budget.unproven + budget.logins < budget.units
    assert 0 < budget.unproven_of_network < budget.unproven
    assert 0 < budget.logins_of_network < budget.logins
    assert 0 < budget.idle_pages < budget.pages
    assert 0 < budget.pages_of_network < budget.pages


@given(st.integers(0, MAX_UNITS))
def test_the_files_that_the_doctor_asks_for_are_enough(units: int) -> None:
    assert divide(files_for(units)).units >= units


def test_a_fleet_of_some_hundreds_has_room_behind_one_address() -> None:
    assert divide(20_000).unproven_of_network == MAX_UNPROVEN_OF_NETWORK >= 300


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_ipv6_network_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network
