"""Beside tables of another version: does each role refuse newer ones unchanged, and do all together migrate older ones
once?"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hil_tests.cluster.layout import ROLES
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.nats_cluster import NatsCluster
from hil_tests.fixtures.postgresql import BINARIES, Server
from hil_tests.fixtures.role_process import RoleProcess

WITHIN_S = 120
NEWER = "9999"
OLDER = "0036"  # the last version without a partitioned table
MIGRATE = (
    "import os,sys;from sqlalchemy import create_engine;from cloud_bridge.store.revisions import upgrade;"
    "e=create_engine(os.environ['CHARGEKEEPER_DATABASE'].replace('postgresql:','postgresql+psycopg:'));k=e.begin();"
    "upgrade(k.__enter__(),sys.argv[1]);k.__exit__(None,None,None)"
)

pytestmark = pytest.mark.skipif(not BINARIES, reason="PostgreSQL is not installed: apt-get install postgresql")


class Tables(NamedTuple):
    """A PostgreSQL server, and the file of a cluster whose nodes do not run."""

    server: Server
    environment: dict[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments."""
        return subprocess.run(
            [sys.executable, *words],
            cwd=CHECKOUT,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
        )

    @property
    def version(self) -> str:
        ((version,),) = self.server.say("SELECT version_num FROM alembic_version")
        return str(version)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    server = Server()
    try:
        environment = {
            "CHARGEKEEPER_DATA": str(tmp_path),
            "CHARGEKEEPER_DATABASE": f"{server.url}/postgres",
            "CHARGEKEEPER_NATS": str(NatsCluster(tmp_path / "nats").file),
            "CHARGEKEEPER_HTTP_PORT": "0",
        }
        yield Tables(server, environment)
    finally:
        server.close()


def test_no_role_starts_on_newer_tables(tables: Tables, tmp_path: Path) -> None:
    assert tables.run("-m", "cloud_bridge", "unit", "add", "cp-1").returncode == 0
    tables.server.say(f"UPDATE alembic_version SET version_num = '{NEWER}'")
    running = [RoleProcess(role, tmp_path / f"{role}.log", tables.environment) for role in ROLES]
    for code, said in [each.ended() for each in running]:
        assert code == 1
        assert f"newer version of Chargekeeper (tables {NEWER})" in said and said.count("\n") == 1
    assert tables.version == NEWER


def test_all_roles_start_at_once_on_older_tables_and_what_was_there_is_kept(tables: Tables, tmp_path: Path) -> None:
    migrated = tables.run("-c", MIGRATE, OLDER)
    assert migrated.returncode == 0, migrated.stderr
    assert tables.version == OLDER
    tables.server.say("INSERT INTO units (id, secret_hash, claim_hash, created_ms) VALUES ('cp-1', 'x', 'y', 1)")
    running = [RoleProcess(role, tmp_path / f"{role}.log", tables.environment) for role in ROLES if role != "auth"]
    try:
        for each in running:  # `auth` is only ready when a node answers
            each.wait_for("http://")
        assert tables.version > OLDER
        assert tables.server.say("SELECT id FROM units") == [("cp-1",)]
    finally:
        for each in running:
            each.kill()
