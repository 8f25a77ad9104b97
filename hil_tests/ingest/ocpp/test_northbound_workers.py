"""Of several processes on one database, does exactly one connect a unit to its back-end, and another when that one has
ended?"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.postgresql import BINARIES, Server
from hil_tests.ingest.ocpp.shown_unit import ShownUnit, ocpp_rpc, owned_units, until
from hil_tests.ingest.ocpp.test_clients import OF_NODE, packages
from hil_tests.ingest.ocpp.test_northbound import kinds

__all__ = ["packages"]

DATABASE = "chargekeeper"
LOCKED = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"


@pytest.fixture
def server() -> Iterator[Server]:
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    server = Server()
    yield server
    server.close()


@OF_NODE
def test_a_unit_has_one_connection_whoever_leads(tmp_path: Path, server: Server, packages: None) -> None:
    server.say(f"CREATE DATABASE {DATABASE}")
    cloud = CloudFixture(tmp_path, environment={"CHARGEKEEPER_DATABASE": f"{server.url}/{DATABASE}"})
    try:
        made = owned_units(cloud, "cp-1")
        leader = cloud.start_beside("upkeep", "upkeep", environment={})
        until(lambda: server.say(LOCKED, DATABASE), bool)
        cloud.start()
        unit = ShownUnit(cloud, made[0])
        unit.say("A1")
        with ocpp_rpc("cp-1") as back_end:
            unit.show(back_end.url)
            back_end.until(lambda told: len(kinds(told, "StatusNotification")) == 2)
            unit.say("C2", 7000, 1000)  # to the other process
            told = back_end.until(lambda told: kinds(told, "StatusNotification")[-1]["status"] == "Charging")
            assert len(kinds(told, "connected")) == 1
            os.kill(leader, signal.SIGKILL)
            told = back_end.until(lambda told: len(kinds(told, "StatusNotification")) == 5)
            in_turn = [one["what"] for one in told if one["what"] in ("connected", "closed", "StartTransaction")]
            assert in_turn == ["connected", "StartTransaction", "closed", "connected"], "it is begun once"
            assert kinds(told, "complaint") == []
    finally:
        cloud.stop()
