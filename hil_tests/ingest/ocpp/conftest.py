"""Two OCPP doors of a cluster for all tests that need them, because the start takes longer than the tests."""

from collections.abc import Iterator

import pytest

from hil_tests.fixtures.cluster_fixture import ClusterFixture
from hil_tests.fixtures.ocpp_doors import Given, OcppDoors, add_chargers

IDS = [
    *("moves", "ordered", "away", "revoked", *(f"kept-{number}" for number in range(4))),  # test_two_doors.py
    *("frozen", "stays", "alone", "waits"),  # test_doors_in_trouble.py
]


@pytest.fixture(scope="package")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    folder = tmp_path_factory.mktemp("doors")
    cloud = ClusterFixture(folder, nodes=1)
    doors = OcppDoors(cloud, "a", "b")
    try:
        cloud.start()
        doors.start()
        yield Given(cloud, doors, add_chargers(cloud.url, IDS, folder))
    finally:
        doors.stop()
        cloud.stop()
