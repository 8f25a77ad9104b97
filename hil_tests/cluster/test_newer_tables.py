"""A process of an older version, beside tables that a newer one has made: does it say so, and touch nothing?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hil_tests.cluster.layout import ROLES
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.nats_cluster import NatsCluster
from hil_tests.fixtures.postgresql import BINARIES, Server

WITHIN_S = 120
NEWER = "9999"


@pytest.mark.skipif(not BINARIES, reason="PostgreSQL is not installed: apt-get install postgresql")
def test_no_role_starts(tmp_path: Path) -> None:
    server = Server()
    try:
        nodes = NatsCluster(tmp_path / "nats")  # its files alone
        environment = os.environ | {
            "CHARGEKEEPER_DATA": str(tmp_path),
            "CHARGEKEEPER_DATABASE": f"{server.url}/postgres",
            "CHARGEKEEPER_NATS": str(nodes.file),
            "CHARGEKEEPER_HTTP_PORT": "0",
        }

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "cloud_bridge", *words]
            return subprocess.run(
                command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=WITHIN_S
            )

        assert run("unit", "add", "cp-1").returncode == 0
        server.say(f"UPDATE alembic_version SET version_num = '{NEWER}'")
        for role in ROLES:
            done = run(role)
            assert done.returncode == 1
            assert f"newer version of Chargekeeper (tables {NEWER})" in done.stderr and done.stderr.count("\n") == 1
        assert server.say("SELECT version_num FROM alembic_version") == [(NEWER,)]
    finally:
        server.close()
