"""Does a second process with the same part refuse to start, and do all processes report the same about their listening?

Two real processes behind a real mosquitto, which closes the older of two connections with one client id.
"""

import asyncio
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil_tests.fixtures.bridge_process import BridgeFailed, BridgeProcess
from hil_tests.fixtures.cloud_fixture import API_TOKEN, MOSQUITTO, CloudFixture
from hil_tests.fixtures.ports import free_ports
from hil_tests.fixtures.postgresql import BINARIES, Server

WITHIN_S = 90.0

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Settings of processes that share a database."""
    if request.param == "sqlite":
        yield {}
        return
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    server = Server()
    yield {"CHARGEKEEPER_DATABASE": f"{server.url}/postgres"}
    server.close()


@pytest.fixture
def cloud(tmp_path: Path, environment: dict[str, str]) -> Iterator[CloudFixture]:
    cloud = CloudFixture(tmp_path, outside=True, environment=environment)
    yield cloud
    cloud.stop()


def beside(cloud: CloudFixture, part: str) -> BridgeProcess:
    """Another process that serves pages, with the same broker and database."""
    http_port, mqtt_port = free_ports(2)
    environment = cloud.bridge.environment | {
        "CHARGEKEEPER_HTTP_PORT": str(http_port),
        "CHARGEKEEPER_MQTT_PORT": str(mqtt_port),
        "CHARGEKEEPER_PART": part,
        "CHARGEKEEPER_API_TOKEN": API_TOKEN,
    }
    process = BridgeProcess(http_port, mqtt_port, cloud.folder, environment, tls=False)
    process.environment |= environment
    process.log = cloud.folder / f"beside-{http_port}.log"
    return process


def test_a_second_process_of_one_part_does_not_start_until_the_first_is_dead(cloud: CloudFixture) -> None:
    cloud.start()
    second = beside(cloud, "1/1")
    with pytest.raises(
        BridgeFailed, match="another process already receives part 1 of the units: end it, or give each"
    ):
        asyncio.run(start_and_stop(second))
    heard = canaries(cloud)
    until(lambda: canaries(cloud) > heard, "the first was not disturbed")
    os.kill(cloud.bridge.pid, signal.SIGKILL)
    asyncio.run(start_and_stop(second))


async def start_and_stop(process: BridgeProcess) -> None:
    try:
        await process.start()
    finally:
        await process.stop()


def canaries(cloud: CloudFixture) -> int:
    return int(cloud.health()["counters"]["canaries"])


def test_interface_metrics_and_status_page_tell_the_same_of_all_parts(cloud: CloudFixture) -> None:
    cloud.bridge.environment["CHARGEKEEPER_PART"] = "1/2"
    cloud.start()
    assert said(cloud) == (False, 0, False), "no process listens for the second part"
    cloud.start_part(2, 2)
    until(lambda: said(cloud) == (True, 1, True), f"all listen: {said(cloud)}")
    (part,) = cloud.bridge._parts
    os.kill(part.pid, signal.SIGKILL)
    until(lambda: said(cloud) == (False, 0, False), f"it is noticed: {said(cloud)}")


def said(cloud: CloudFixture) -> tuple[bool, float, bool]:
    """Return whether /healthz, /metrics and /status report that we are listening."""
    metrics = cloud.text("/metrics")
    (listening,) = [line for line in metrics.splitlines() if line.startswith("chargekeeper_listening ")]
    is_well = "we are listening" in cloud.text("/status")
    return bool(cloud.health()["listening"]), float(listening.split()[1]), is_well


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.1)


def test_of_two_processes_on_one_sqlite_one_does_the_upkeep_and_the_other_takes_over(tmp_path: Path) -> None:
    """For PostgreSQL, see hil_tests/store/test_several.py."""
    cloud = CloudFixture(tmp_path, outside=True, environment={"CHARGEKEEPER_PART": "1/2"})

    async def stand_by() -> None:
        second = beside(cloud, "2/2")
        try:
            await second.start()
            assert (leads(cloud.address), leads(second.address)) == (True, False)
            os.kill(cloud.bridge.pid, signal.SIGKILL)
            await asyncio.to_thread(until, lambda: leads(second.address), "taken over")
        finally:
            await second.stop()

    try:
        cloud.start()
        until(lambda: leads(cloud.address), "led")  # the first process to look
        asyncio.run(stand_by())
    finally:
        cloud.stop()


def leads(address: str) -> bool:
    """Return whether the process at this address does the upkeep."""
    request = urllib.request.Request(f"{address}/metrics", headers={"Authorization": f"Bearer {API_TOKEN}"})
    with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
        return "\nchargekeeper_upkeep 1.0" in answer.read().decode()
