"""What chargers in the field send or do that no schema allows or nobody would expect.

The frames are written for this table. Each row names the thread in which the behaviour was seen, by project and number,
or a keyword.
"""

import json
from typing import Any, NamedTuple

from hil_tests.bench.quirks.charger import OLD, SOON, Do

Frame = list[Any] | str | bytes | Do


class Quirk(NamedTuple):
    """One charger with one odd behaviour, and what the API must show afterwards."""

    where: str
    what: str
    says: tuple[Frame, ...]
    known: dict[str, Any] = {}  # keys of the API; `sessions` is the list of their energies
    unreadable: int = 0  # frames without a readable intent, answered with a CALLERROR or not at all
    offers: tuple[str, ...] = ("ocpp1.6",)
    path: str = "/ocpp/{id}"
    identity: str = ""  # in place of "quirk-" and its number
    key: str = "{key}"  # the form in which it sends its key
    refused: bool = False


def call(action: str, **payload: Any) -> list[Any]:
    """Return a CALL. Its id is set when it is sent."""
    return [2, None, action, payload]


def status(told: str, connector: Any = 1, error: str = "NoError", **more: Any) -> list[Any]:
    return call("StatusNotification", connectorId=connector, errorCode=error, status=told, **more)


def meter(*samples: dict[str, Any], at: str = SOON, connector: Any = 1) -> list[Any]:
    return call("MeterValues", connectorId=connector, meterValue=[{"timestamp": at, "sampledValue": list(samples)}])


def power(value: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "measurand": "Power.Active.Import", "unit": "W"} | more


def start(at: str = SOON, wh: Any = 1000) -> list[Any]:
    return call("StartTransaction", connectorId=1, idTag="T", meterStart=wh, timestamp=at)


def stop(number: Any, wh: Any, at: str = SOON) -> list[Any]:
    return call("StopTransaction", transactionId=number, meterStop=wh, timestamp=at, idTag="T")


def tx(kind: str, doing: str, wh: Any, at: str = SOON, **more: Any) -> list[Any]:
    info = {"transactionId": "a", "chargingState": doing}
    readings = [{"timestamp": at, "sampledValue": [{"value": wh}]}]
    told = {"eventType": kind, "timestamp": at, "seqNo": 0, "transactionInfo": info, "meterValue": readings}
    return call("TransactionEvent", **(told | {"evse": {"id": 1, "connectorId": 1}} | more))


BOOT = call("BootNotification", chargePointVendor="V", chargePointModel="M")
V201 = ("ocpp2.0.1",)
NEWER = [{"value": "42"}]

QUIRKS = (
    Quirk("lbbrhzn#1248", "error code of its own", (status("Faulted", error="Error"),), {"faults": ["ocpp_other"]}),
    Quirk("lbbrhzn#213", "serial number too long", (BOOT[:3] + [BOOT[3] | {"chargePointSerialNumber": "9" * 31}],)),
    Quirk("evcc#32184", "no vendor", (call("BootNotification", chargePointVendor="", chargePointModel=None),)),
    Quirk(
        "lbbrhzn#1576", "unit Hz", (status("Charging"), meter({"value": "50", "unit": "Hz"}, *NEWER)), {"total_wh": 42}
    ),
    Quirk(
        "mobilityhouse#54",
        "measurand of its own",
        (status("Charging"), meter({"value": "1", "measurand": "Request.Energy"}, *NEWER)),
        {"total_wh": 42},
    ),
    Quirk(
        "mobilityhouse#361",
        "context of its own",
        (status("Charging"), meter({"value": "42", "context": "Sample.Alfen"})),
        {"total_wh": 42},
    ),
    Quirk("evcc#14579", "Authorize with a connector", (call("Authorize", idTag="T", connectorId=1),)),
    Quirk("null", "a field that is null", (status("Charging", info=None, vendorId=None),), {"state": "C2"}),
    Quirk(
        "evcc#17585",
        "state of charge in volts, transaction 0",
        (status("Charging"), meter({"value": "230", "measurand": "SoC", "unit": "V"}), stop(0, 5)),
        {"total_wh": None},
    ),
    Quirk("mobilityhouse#46", "transaction 2^63-1", (stop(2**63 - 1, 5),)),
    Quirk(
        "evcc#29190",
        "register of a full counter at connector 0",
        (status("Charging"), meter({"value": "4296944685"}, connector=0)),
        {"total_wh": None},
    ),
    Quirk(
        "MicroOcpp#311",
        "clock of 1970",
        (status("Charging", timestamp="1970-01-01T00:00:00Z"), meter(power("7000"), at="1970-01-01T00:00:09Z")),
        {"state": "C2", "watts": 7000},
    ),
    Quirk(
        "SteVe#136",
        "clock of two hours ago",
        (status("Charging", timestamp=OLD), meter(power("7000"), at=OLD)),
        {"state": "C2", "watts": 7000},
    ),
    Quirk("numbers", "message ids that are numbers", ([2, 4711, "Heartbeat", {}], [2, 4712, "Heartbeat", {}])),
    Quirk("short", "a CALL of three elements", ([2, "s1", "Heartbeat"], [2, "s2", "Heartbeat", []])),
    Quirk("cut", "JSON that is cut", ('[2,"c1","Heart', '[2,"c2"', "["), unreadable=3),
    Quirk("empty", "an empty text", ("", "  "), unreadable=2),
    Quirk("security", "a security event", (call("SecurityEventNotification", type="StartupOfTheDevice"),)),
    Quirk("mobilityhouse#626", "pings alone", (Do.PING, Do.PING), {"contact": "never"}),
    Quirk(
        "OpenEMS#2906",
        "a second socket",
        (status("Charging"), Do.SECOND_SOCKET, call("Heartbeat")),
        {"connected": True},
    ),
    Quirk("capitals", "subprotocol in capitals", (call("Heartbeat"),), offers=("OCPP1.6",)),
    Quirk("lbbrhzn#442", "no subprotocol", (), {"contact": "never"}, offers=(), refused=True),
    Quirk("many", "offers all that there are", (call("Heartbeat"),), offers=("ocpp2.1", "ocpp1.6", "ocpp1.5")),
    Quirk("slash", "a slash behind its id", (call("Heartbeat"),), path="/ocpp/{id}/"),
    Quirk("evcc#33317", "no path but its id", (call("Heartbeat"),), path="/{id}"),
    Quirk("twice", "its id twice", (call("Heartbeat"),), path="/ocpp/{id}/{id}"),
    Quirk("ocpp-rpc", "an id with space, slash and umlaut", (call("Heartbeat"),), identity="R 1/ü"),
    Quirk("steve#1895", "its key as hexadecimal digits", (call("Heartbeat"),), key="{hex}"),
    Quirk(
        "mobilityhouse#186",
        "each start sent again after a loss",
        (start(), Do.RECONNECT, start(), stop(Do.TRANSACTION, 3000), Do.RECONNECT, stop(Do.TRANSACTION, 3000)),
        {"sessions": [2000]},
    ),
    Quirk("libocpp#495", "transaction -1", (stop(-1, 500),), {"sessions": [0]}),
    Quirk("MicroOcpp#454", "an end without a beginning", (stop(77, 500),), {"sessions": [0]}),
    Quirk(
        "replay",
        "a session of hours ago",
        (status("Available"), start(OLD), meter(power("7000"), at=OLD), stop(Do.TRANSACTION, 4000, OLD)),
        {"state": "A1", "sessions": [3000]},
    ),
    Quirk(
        "texts",
        "numbers that are texts",
        (status("Charging", "1"), start(wh="1000"), stop(Do.TRANSACTION_AS_TEXT, "5000")),
        {"state": "C2", "sessions": [4000]},
    ),
    Quirk(
        "comma",
        "a decimal comma",
        (status("Charging"), meter(power("7,2", unit="kW"))),
        {"watts": 7200},
    ),
    Quirk("evcc#4566", "no boot", (status("Charging"),), {"state": "C2"}),
    Quirk("case", "an action in small letters", ([2, "k", "heartbeat", {}], ["2", "l", "HEARTBEAT", {}])),
    Quirk("zero", "connector 0 after connector 1", (status("Charging"), status("Available", 0)), {"state": "C2"}),
    Quirk(
        "object",
        "an object where a list should be",
        (
            status("Charging"),
            call("MeterValues", connectorId=1, meterValue={"timestamp": SOON, "sampledValue": {"value": 42}}),
        ),
        {"total_wh": 42},
    ),
    Quirk("OCPP 1.5", "status Occupied", (status("Occupied"),), {"state": "B1"}),
    Quirk(
        "loop", "an action of its own, again and again", (*[call("Nonsense")] * 30, call("Heartbeat")), unreadable=30
    ),
    Quirk(
        "binary",
        "frames that are called binary",
        (json.dumps([2, "b", "Heartbeat", {}]).encode(), b"\xff\xfe"),
        unreadable=1,
    ),
    Quirk("data", "a message of its own", (call("DataTransfer", vendorId="V", data={"idTag": "T"}),)),
    Quirk(
        "Easee",
        "its signal as a measurand",
        (status("Available"), meter({"value": "-83", "measurand": "RSSI.Mobile", "unit": "RSSI"})),
        {"csq": 15},
    ),
    Quirk(
        "2.0.1 replay",
        "events of hours ago, not in their order",
        (
            tx("Started", "Charging", 0, OLD, offline=True),
            tx("Ended", "Idle", 7000, OLD, offline=True, seqNo=2),
            tx("Updated", "Charging", 4000, OLD, offline=True, seqNo=1),
            call("StatusNotification", evseId=1, connectorId=1, connectorStatus="Available", timestamp=SOON),
        ),
        {"state": "A1", "sessions": [7000]},
        offers=V201,
    ),
    Quirk(
        "2.0.1 texts",
        "numbers that are texts, and a token without a type",
        (tx("Started", "Charging", "1000", seqNo="0", idToken={"idToken": "T"}, evse=None),),
        {"state": "C2", "total_wh": 1000},
        offers=V201,
    ),
    Quirk(
        "2.0.1 occupied",
        "occupied is told after it charges",
        (
            tx("Started", "Charging", 0),
            call("StatusNotification", evseId=1, connectorId=1, connectorStatus="Occupied", timestamp=SOON),
        ),
        {"state": "C2"},
        offers=V201,
    ),
    Quirk(
        "2.0.1 first",
        "speaks both, and wants the newer one",
        (call("BootNotification", reason="PowerUp", chargingStation={"model": "M", "vendorName": "V"}),),
        offers=("ocpp2.0.1", "ocpp1.6"),
    ),
)
