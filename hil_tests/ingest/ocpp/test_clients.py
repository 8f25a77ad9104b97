"""Do third-party charge points work with the real process: boot, charge, report a fault, lose the network, send later, obey?

Their own schemas check our answers.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hil_tests.fixtures.children import die_with_parent
from hil_tests.ingest.ocpp.running_bridge import WITHIN_S, OcppBridge

HERE = Path(__file__).parent / "clients"
INSTALL_S = 180
OF_NODE = pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("npm") is None, reason="Node is not installed (20 or newer), or npm"
)
IDS = ["probe-16", "probe-201", "rpc-16", "R 1/ü", "rpc-201", "em"]


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OcppBridge]:
    bridge = OcppBridge(tmp_path_factory.mktemp("clients"), IDS)
    yield bridge
    bridge.cloud.stop()


@pytest.fixture(scope="module")
def packages() -> None:
    """Install ocpp-rpc and em-ocpp-chargepoint-simulator as locked, without running their install scripts."""
    if not (HERE / "node_modules" / "ocpp-rpc").exists():
        fetch("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install test-ocpp; return its folder."""
    folder = tmp_path_factory.mktemp("test-ocpp")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    fetch(*pip, "--no-deps", "--target", str(folder), "-r", "test-ocpp.lock")
    return folder


def fetch(*command: str) -> None:
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("unit_id", "version"), [("probe-16", "1.6"), ("probe-201", "2.0.1")])
def test_test_ocpp_boots_over_tls(bridge: OcppBridge, probe: Path, unit_id: str, version: str) -> None:
    certificate = str(bridge.cloud.folder / "tls" / "ca.pem")
    url = f"wss://localhost:{bridge.tls_port}/ocpp"
    key = ("--password", bridge.keys[unit_id], "--ca", certificate)
    command = [sys.executable, "-m", "test_ocpp", url, unit_id, "--ocpp", version, "--trailing-slash", *key]
    environment = os.environ | {"PYTHONPATH": str(probe)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr
    assert bridge.cloud.get(f"/api/charge-points/{unit_id}")["contact"] == "online"


class Failed(Exception):
    """The charge point's error."""


class RpcCharger:
    """ocpp-rpc as a charge point, driven by orders. If its own schemas reject our message, it raises Failed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, *order: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(WITHIN_S):
            line = await self._process.stdout.readline()
        came = json.loads(line)
        if "failed" in came:
            raise Failed(came["failed"])
        return came["is"]

    async def call(self, action: str, **payload: Any) -> Any:
        return await self.do("call", action, payload)


@asynccontextmanager
async def rpc_charger(bridge: OcppBridge, unit_id: str, protocol: str) -> AsyncIterator[RpcCharger]:
    command = ("node", "rpc.mjs", f"ws://127.0.0.1:{bridge.port}/ocpp", unit_id, bridge.keys[unit_id], protocol)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent
    )
    charger = RpcCharger(process)
    try:
        assert await charger.do("connect") == protocol
        yield charger
    finally:
        process.kill()
        await process.communicate()  # also closes its pipes


def at(minutes_ago: int = 0) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


async def obeys(bridge: OcppBridge, charger: RpcCharger, unit_id: str, action: str, **order: Any) -> None:
    """Send a command to the charger and check that its answer is reported."""
    where = await asyncio.to_thread(bridge.order, unit_id, **order)
    assert await charger.do("asked", action)
    told = await bridge.until(where, lambda told: told["status"] != "waiting")
    assert told["status"] == "done", told


@OF_NODE
@pytest.mark.parametrize("identity", ["rpc-16", "R 1/ü"])
def test_ocpp_rpc_is_content_with_us_in_1_6(bridge: OcppBridge, packages: None, identity: str) -> None:
    async def story() -> None:
        unit_id = bridge.unit_ids[identity]
        here = f"/api/charge-points/{unit_id}"
        async with rpc_charger(bridge, identity, "ocpp1.6") as charger:

            async def tell(status: str, error: str = "NoError") -> None:
                await charger.call("StatusNotification", connectorId=1, errorCode=error, status=status, timestamp=at())

            boot = {"chargePointVendor": "rpc", "chargePointModel": "2.2.1"}
            assert (await charger.call("BootNotification", **boot))["status"] == "Accepted"
            await charger.call("Heartbeat")
            await tell("Preparing")
            assert (await charger.call("Authorize", idTag="TAG"))["idTagInfo"]["status"] == "Accepted"
            begin = {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": at()}
            begun = await charger.call("StartTransaction", **begin)
            await tell("Charging")
            sample = [{"value": "7200", "measurand": "Power.Active.Import", "unit": "W"}, {"value": "1500"}]
            meter = [{"timestamp": at(), "sampledValue": sample}]
            await charger.call("MeterValues", connectorId=1, meterValue=meter)
            told = await bridge.get(here)
            assert (told["state"], told["watts"], told["total_wh"]) == ("C2", 7200, 1500)
            await obeys(bridge, charger, unit_id, "SetChargingProfile", do="limit", amps=10, minutes=60)
            await obeys(bridge, charger, unit_id, "RemoteStopTransaction", do="stop")
            await charger.do("lose")
            await charger.do("connect")
            await charger.call("BootNotification", **boot)
            stop = {"transactionId": begun["transactionId"], "meterStop": 3000, "timestamp": at(), "reason": "Remote"}
            await charger.call("StopTransaction", **stop)
            await charger.call("StopTransaction", **stop)
            old = {"connectorId": 1, "idTag": "TAG", "meterStart": 3000, "timestamp": at(180)}
            kept = await charger.call("StartTransaction", **old)
            await charger.call("StopTransaction", transactionId=kept["transactionId"], meterStop=7000, timestamp=at(60))
            await tell("Faulted", "GroundFailure")
            assert (await bridge.get(here))["faults"] == ["ocpp_groundfailure"]
            await tell("Available")
            await charger.call("DataTransfer", vendorId="V", data="x")
            await charger.call("FirmwareStatusNotification", status="Idle")
            await obeys(bridge, charger, unit_id, "UnlockConnector", do="unlock")
            await obeys(bridge, charger, unit_id, "Reset", do="reboot")
            told = await bridge.get(here)
            assert (told["state"], told["contact"], told["faults"]) == ("A1", "online", None)
            sessions = (await bridge.get(f"{here}/sessions"))["sessions"]
            assert sorted(one["energy_wh"] for one in sessions) == [2000, 4000]

    asyncio.run(story())


@OF_NODE
def test_ocpp_rpc_is_content_with_us_in_2_0_1(bridge: OcppBridge, packages: None) -> None:
    async def story() -> None:
        unit_id, here = "rpc-201", "/api/charge-points/rpc-201"
        async with rpc_charger(bridge, unit_id, "ocpp2.0.1") as charger:
            sequence = 0

            async def tell(status: str) -> None:
                told = {"evseId": 1, "connectorId": 1, "connectorStatus": status}
                await charger.call("StatusNotification", timestamp=at(), **told)

            async def transaction(kind: str, doing: str, wh: int, ago: int = 0, name: str = "a", **more: Any) -> Any:
                nonlocal sequence
                sequence += 1
                told = {"eventType": kind, "timestamp": at(ago), "triggerReason": "Trigger", "seqNo": sequence}
                info = {"transactionId": name, "chargingState": doing}
                sample = [{"value": wh}, {"value": 7200, "measurand": "Power.Active.Import"}]
                meter = [{"timestamp": at(ago), "sampledValue": sample}]
                evse = {"id": 1, "connectorId": 1}
                return await charger.call(
                    "TransactionEvent", **told, transactionInfo=info, meterValue=meter, evse=evse, **more
                )

            named = {"vendorName": "rpc", "model": "2.2.1", "firmwareVersion": "9"}
            boot = {"reason": "PowerUp", "chargingStation": named}
            assert (await charger.call("BootNotification", **boot))["status"] == "Accepted"
            await charger.call("Heartbeat")
            await tell("Occupied")
            token = {"idToken": "TAG", "type": "ISO14443"}
            await charger.call("Authorize", idToken=token)
            begun = await transaction("Started", "Charging", 1000, idToken=token)
            assert begun["idTokenInfo"]["status"] == "Accepted"
            told = await bridge.get(here)
            assert (told["state"], told["watts"], told["total_wh"]) == ("C2", 7200, 1000)
            await obeys(bridge, charger, unit_id, "SetChargingProfile", do="limit", amps=10, minutes=60)
            await obeys(bridge, charger, unit_id, "RequestStopTransaction", do="stop")
            await charger.do("lose")
            await charger.do("connect")
            await charger.call("BootNotification", **boot)
            await transaction("Ended", "EVConnected", 3000)
            await transaction("Ended", "EVConnected", 3000)
            await transaction("Started", "Charging", 3000, 180, "old", offline=True)
            await transaction("Ended", "Idle", 7000, 60, "old", offline=True)
            told = await bridge.get(here)
            assert told["state"] == "B1", "what it kept is history"
            problem = {"component": {"name": "RCD"}, "variable": {"name": "Tripped"}, "trigger": "Alerting"}
            event = {
                "eventId": 1,
                "timestamp": at(),
                "actualValue": "true",
                "eventNotificationType": "HardWiredNotification",
            }
            await charger.call("NotifyEvent", generatedAt=at(), seqNo=0, eventData=[event | problem])
            await tell("Faulted")
            assert (await bridge.get(here))["faults"] == ["ocpp_groundfailure"]
            await tell("Available")
            await charger.call("NotifyReport", requestId=1, generatedAt=at(), seqNo=0)
            await charger.call("SecurityEventNotification", type="StartupOfTheDevice", timestamp=at())
            await obeys(bridge, charger, unit_id, "UnlockConnector", do="unlock")
            await obeys(bridge, charger, unit_id, "Reset", do="reboot")
            sessions = (await bridge.get(f"{here}/sessions"))["sessions"]
            assert sorted(one["energy_wh"] for one in sessions) == [2000, 4000]

    asyncio.run(story())


@OF_NODE
def test_the_em_simulator_charges_fails_comes_back_and_is_reset(bridge: OcppBridge, packages: None) -> None:
    async def story() -> None:
        here = "/api/charge-points/em"
        url = f"ws://em:{bridge.keys['em']}@127.0.0.1:{bridge.port}/ocpp/em"
        command = ("node", "node_modules/em-ocpp-chargepoint-simulator/build/src/main.js", "em.js")
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=HERE,
            env=os.environ | {"CHARGER_URL": url},
            stdout=subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        try:
            await phase(process, "ready")
            sessions = (await bridge.get(f"{here}/sessions"))["sessions"]
            assert sorted(one["energy_wh"] for one in sessions) == [1000, 3000]
            told = await bridge.get(here)
            assert (told["state"], told["firmware"], told["faults"]) == ("A1", "0.0.4", None)
            events = [one["kind"] for one in (await bridge.get(f"{here}/events"))["events"]]
            assert {"boot", "fault_raised", "fault_cleared"} <= {*events}
            where = await asyncio.to_thread(bridge.order, "em", do="reboot")
            await phase(process, "reset")
            assert (await bridge.until(where, lambda told: told["status"] != "waiting"))["status"] == "done"
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()  # also closes its pipes

    asyncio.run(story())


async def phase(process: asyncio.subprocess.Process, name: str) -> None:
    """Wait until the simulator has reached this phase."""
    assert process.stdout is not None
    said = []
    async with asyncio.timeout(WITHIN_S):
        while line := await process.stdout.readline():
            said.append(line.decode().strip())
            if said[-1] == f"PHASE {name}":
                return
    raise AssertionError(said[-20:])
