"""Do third-party OCPP back-ends receive the true state of a unit of ours, with its own times?

Are their commands only executed where that was allowed?
"""

import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.ingest.ocpp.shown_unit import HERE, BackEnd, ShownUnit, ocpp_csms, ocpp_rpc, owned_units
from hil_tests.ingest.ocpp.test_clients import OF_NODE, fetch, packages

__all__ = ["packages"]


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ShownUnit]]:
    cloud = CloudFixture(tmp_path_factory.mktemp("northbound"))
    cloud.start()
    yield [ShownUnit(cloud, one) for one in owned_units(cloud, "for-csms", "for-rpc")]
    cloud.stop()


@pytest.fixture(scope="module")
def csms_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ocpp-csms")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    fetch(*pip, "--no-deps", "--target", str(folder), "-r", str(HERE / "ocpp-csms.lock"))
    return folder


def kinds(told: list[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    return [one for one in told if one["what"] == what]


def obeying(unit: ShownUnit, ok: bool = True) -> threading.Thread:
    """Let the unit answer its next command, on another thread."""

    def answer() -> None:
        command = unit.unit.next_command()
        unit.unit.report("result", id=command["id"], ok=ok)

    thread = threading.Thread(target=answer)
    thread.start()
    return thread


def test_ocpp_csms_is_told_a_session_and_commands(units: list[ShownUnit], csms_packages: Path) -> None:
    unit = units[0]
    unit.unit.subscribe_to_commands()
    unit.say("A1")
    with ocpp_csms(csms_packages, "CS 1 ü") as back_end:
        unit.show(back_end.url, "--may-command", "--identity", "CS 1 ü")
        told = back_end.until(lambda told: len(kinds(told, "StatusEvent")) == 2)
        assert kinds(told, "BootEvent")[0]["info"]["vendor"] == "Chargekeeper"
        assert {one["connector"]["status"] for one in kinds(told, "StatusEvent")} == {"Available"}
        began_s = int(time.time())
        unit.say("C2", 7200, 1000)
        told = back_end.until(lambda told: kinds(told, "TransactionStartedEvent"))
        transaction = kinds(told, "TransactionStartedEvent")[0]["transaction"]
        assert transaction["meter_start"] == 1000
        unit.say("C2", 7210, 1500)
        back_end.until(lambda told: kinds(told, "MeterValuesEvent"))
        for action, payload, done in (
            ("RemoteStartTransaction", {"idTag": "T", "connectorId": 1}, "Accepted"),
            ("SetChargingProfile", limited_to(10), "Accepted"),
            ("RemoteStopTransaction", {"transactionId": transaction["transaction_id"]}, "Accepted"),
        ):
            thread = obeying(unit)
            assert back_end.call(action, **payload)["status"] == done
            thread.join()
        thread = obeying(unit, ok=False)
        assert back_end.call("ClearChargingProfile", id=1)["status"] == "Unknown"
        thread.join()
        assert back_end.call("Reset", type="Soft")["status"] == "Rejected"
        assert back_end.call("UnlockConnector", connectorId=1)["status"] == "NotSupported"
        unit.unit.report("session", t=began_s + 60, t0=began_s, t1=began_s + 60, s=60, e=900, y="unplugged", i=1)
        unit.say("A1", 0, 1900)
        told = back_end.until(lambda told: kinds(told, "TransactionStoppedEvent"))
        stopped = kinds(told, "TransactionStoppedEvent")[0]["transaction"]
        assert (stopped["meter_stop"], stopped["stop_reason"]) == (1900, "EVDisconnected")


def utc(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def limited_to(amps: int) -> dict[str, Any]:
    schedule = {"chargingRateUnit": "A", "duration": 600, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amps}]}
    profile = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "ChargePointMaxProfile"}
    kind = {"chargingProfileKind": "Relative", "chargingSchedule": schedule}
    return {"connectorId": 0, "csChargingProfiles": profile | kind}


@OF_NODE
def test_ocpp_rpc_finds_no_fault_with_what_it_is_sent(units: list[ShownUnit], packages: None) -> None:
    """ocpp-rpc is strict: it complains about, or does not answer, whatever its schemas do not allow."""
    unit = units[1]
    unit.say("A1")
    with ocpp_rpc(unit.name) as back_end:
        unit.show(back_end.url)
        back_end.until(lambda told: len(kinds(told, "StatusNotification")) == 2)
        began_s = int(time.time())
        unit.say("B2", 0, 1000)
        unit.say("C2", 7200, 1200)
        back_end.until(lambda told: kinds(told, "MeterValues"))
        unit.say("A1", 0, 2000, f=["rcd_dc"])
        told = back_end.until(lambda told: kinds(told, "StatusNotification")[-1]["status"] == "Faulted")
        assert kinds(told, "StatusNotification")[-1]["errorCode"] == "GroundFailure"
        ask_everything(back_end)
        told = back_end.until(lambda told: len(kinds(told, "BootNotification")) == 2 and kinds(told, "Heartbeat"))
        assert kinds(told, "complaint") == []
        back_end.drop()
        back_end.until(lambda told: len(kinds(told, "connected")) == 2)
        port = int(back_end.url.split(":")[2].split("/")[0])
    ended_s = int(time.time())
    lasting = {"t": ended_s, "t0": began_s, "t1": ended_s, "s": ended_s - began_s}
    unit.unit.report("session", **lasting, e=1000, y="unplugged", i=1)
    later = {"t": ended_s + 1, "t0": ended_s, "t1": ended_s + 1, "s": 1}
    unit.unit.report("session", **later, e=5000, y="unplugged", i=2)  # the bridge did not receive its beginning
    unit.say("A1", 0, 7000)
    with ocpp_rpc(unit.name, port) as back_end:
        told = back_end.until(lambda told: len(kinds(told, "StopTransaction")) == 2)
        first, second = kinds(told, "StopTransaction")
        assert (first["meterStop"], first["timestamp"]) == (2000, utc(ended_s))
        start = kinds(told, "StartTransaction")[0]
        assert (start["timestamp"], second["timestamp"]) == (utc(ended_s), utc(ended_s + 1))
        assert second["meterStop"] - start["meterStart"] == 5000
        assert kinds(told, "complaint") == []


def ask_everything(back_end: BackEnd) -> None:
    """Call every action for a unit that may not be commanded. A strict client checks each answer by its schema."""
    rejected = {"status": "Rejected"}
    assert back_end.call("RemoteStartTransaction", idTag="T") == rejected
    assert back_end.call("RemoteStopTransaction", transactionId=1) == rejected
    assert back_end.call("SetChargingProfile", **limited_to(10)) == rejected
    assert back_end.call("ClearChargingProfile") == {"status": "Unknown"}
    assert back_end.call("Reset", type="Hard") == rejected
    assert back_end.call("ChangeAvailability", connectorId=0, type="Inoperative") == rejected
    assert back_end.call("ChangeConfiguration", key="NumberOfConnectors", value="2") == rejected
    assert back_end.call("ChangeConfiguration", key="Other", value="2") == {"status": "NotSupported"}
    assert back_end.call("ClearCache") == rejected
    assert back_end.call("DataTransfer", vendorId="V") == {"status": "UnknownVendorId"}
    assert back_end.call("GetCompositeSchedule", connectorId=1, duration=60) == rejected
    told = back_end.call("GetConfiguration", key=["NumberOfConnectors", "Other"])
    assert told["unknownKey"] == ["Other"] and told["configurationKey"][0]["value"] == "1"
    assert back_end.call("GetDiagnostics", location="ftp://here") == {}
    assert back_end.call("GetLocalListVersion") == {"listVersion": -1}
    assert back_end.call("SendLocalList", listVersion=1, updateType="Full") == {"status": "NotSupported"}
    assert back_end.call("CancelReservation", reservationId=1) == rejected
    assert back_end.call("UnlockConnector", connectorId=1) == {"status": "NotSupported"}
    for message in ("StatusNotification", "MeterValues", "Heartbeat", "BootNotification"):
        assert back_end.call("TriggerMessage", requestedMessage=message) == {"status": "Accepted"}
    assert back_end.call("TriggerMessage", requestedMessage="DiagnosticsStatusNotification") == {
        "status": "NotImplemented"
    }
