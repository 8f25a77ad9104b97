"""Does the cloud do on a real PostgreSQL what it does on SQLite? The same tests, all of them, run again over there.

What has a meaning on one kind of database alone is marked so (tests/cloud_bridge/conftest.py).
"""

import os
import subprocess
import sys

import pytest

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.postgresql import Server

CLOUD = CHECKOUT / "tests" / "cloud_bridge"
# What speaks to the database most, in every run; with POSTGRESQL_ROOMS=all (`make fuzz`) every room.
MOSTLY = ["alerts", "store", "vehicles/linking", "vehicles/tokens", "web"]
ALL = sorted(path.name for path in CLOUD.iterdir() if path.is_dir() and any(path.rglob("test_*.py")))
ROOMS = ALL if os.environ.get("POSTGRESQL_ROOMS") == "all" else MOSTLY
WITHIN_S = 1800  # minutes where nobody else works; with a thousand stories three more


def run_over_there(server: Server, suite: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suite],
        cwd=CHECKOUT,
        env=os.environ | {"CHARGEKEEPER_TEST_POSTGRESQL": server.url},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stdout[-5000:]


@pytest.mark.timeout(WITHIN_S + 60)
@pytest.mark.parametrize("room", ROOMS)
def test_a_room_holds_on_postgresql(server: Server, room: str) -> None:
    run_over_there(server, [str(CLOUD / room)])


@pytest.mark.timeout(WITHIN_S + 60)
def test_what_is_beside_the_rooms_holds_on_postgresql(server: Server) -> None:
    run_over_there(server, [str(path) for path in sorted(CLOUD.glob("test_*.py"))])
