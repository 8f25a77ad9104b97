"""Does the store do on a real PostgreSQL what it does on SQLite? The same tests, run again over there."""

import os
import subprocess
import sys

import pytest

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.postgresql import Server

SUITE = [
    "store/test_store.py",
    "store/test_recorder.py",
    "store/test_recorder_stories.py",
    "store/test_row_ids.py",
    "test_upkeep.py",
    "test_clock_wrong.py",
    "test_clock_stories.py",
    "web/test_connections.py",
    "alerts/test_alerts.py",
    "alerts/test_detection.py",
    "store/test_exclusive_lock.py",
    "store/test_access.py",
    "ingest/test_unit_registry.py",
    "web/api/test_charge_points.py",
    "store/test_history.py",
    "store/test_personal.py",
    "store/test_ownership.py",
    "store/test_names.py",
    "web/test_ownership_stories.py",
    "web/pages/test_change_of_hands.py",
    "test_troubles.py",
    "vehicles/tokens/test_vault.py",
    "vehicles/tokens/test_token_refresh.py",
    "vehicles/linking/test_unlink.py",
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
