"""Does the store do on a real PostgreSQL what it does on SQLite? The same tests, run again over there."""

import os
import subprocess
import sys

import pytest

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.postgresql import Server

SUITE = [
    "test_store.py",
    "test_recorder.py",
    "test_recorder_stories.py",
    "test_row_ids.py",
    "test_upkeep.py",
    "test_connections.py",
    "test_alerts.py",
    "test_detection.py",
    "test_exclusive_lock.py",
    "test_access.py",
    "test_unit_registry.py",
    "test_api.py",
    "test_history.py",
    "test_personal.py",
    "test_troubles.py",
    "vehicles/test_vault.py",
    "vehicles/test_token_refresh.py",
    "vehicles/test_unlink.py",
]


@pytest.mark.timeout(1800)  # half a minute where nobody else works; with a thousand stories three
def test_the_store_suite_holds_on_postgresql(server: Server) -> None:
    suite = [str(CHECKOUT / "tests" / "cloud_bridge" / name) for name in SUITE]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *suite],
        cwd=CHECKOUT,
        env=os.environ | {"CHARGEKEEPER_TEST_POSTGRESQL": server.url},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]
