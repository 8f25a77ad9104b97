"""Does the cloud do the same on a real PostgreSQL as on SQLite? Runs the same tests on PostgreSQL.

Tests that only make sense on one kind of database are marked (tests/cloud_bridge/conftest.py).
"""

import os
import subprocess
import sys

import pytest

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.postgresql import Server

CLOUD = CHECKOUT / "tests" / "cloud_bridge"
BESIDE = "."  # tests that are directly in the folder
# Every run includes the folders with the most SQL; POSTGRESQL_ROOMS=all (`make postgresql`) includes every folder, also pages
# and API.
MOSTLY = ["alerts", "store", "vehicles/tokens"]
ALL = [BESIDE, *sorted(path.name for path in CLOUD.iterdir() if path.is_dir() and any(path.rglob("test_*.py")))]
ROOMS = ALL if os.environ.get("POSTGRESQL_ROOMS") == "all" else MOSTLY
WITHIN_S = 1800  # takes minutes on an idle machine; a thousand stories take three more


@pytest.mark.timeout(WITHIN_S + 60)
@pytest.mark.parametrize("room", ROOMS)
def test_a_room_holds_on_postgresql(server: Server, room: str) -> None:
    suite = sorted(CLOUD.glob("test_*.py")) if room == BESIDE else [CLOUD / room]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, suite)],
        cwd=CHECKOUT,
        env=os.environ | {"CHARGEKEEPER_TEST_POSTGRESQL": server.url},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stdout[-5000:]
