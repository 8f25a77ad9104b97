"""Is contact true, and is nothing lost that was answered, for OCPP chargers with the real process on real sockets?

The bridge is killed, two chargers have the same identity, and chargers misbehave as they do in the field.
"""

import asyncio
import base64
import ssl
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from ocpp.routing import on  # type: ignore[import-untyped]  # ocpp has no types
from ocpp.v16 import ChargePoint, call, call_result  # type: ignore[import-untyped]
from ocpp.v201 import ChargePoint as Station  # type: ignore[import-untyped]
from ocpp.v201 import call as call_201
from ocpp.v201 import call_result as result_201
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from hil_tests.ingest.ocpp.running_bridge import WITHIN_S, OcppBridge
from hil_tests.sim.ocpp_charger import Manners, NoAnswer, OcppCharger

IDS = ["killed", "twice", "odd", "refused", "strict", "station"]  # one charger for each test


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OcppBridge]:
    bridge = OcppBridge(tmp_path_factory.mktemp("chargers"), IDS)
    yield bridge
    bridge.cloud.stop()


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def test_a_session_goes_on_through_a_kill_of_the_bridge(bridge: OcppBridge) -> None:
    async def story() -> None:
        charger = bridge.charger("killed")
        async with charger.connected():
            await charger.begin()
            await charger.draw(7200, 500)
            before = await bridge.read("killed")
            assert (before["state"], before["watts"], before["firmware"]) == ("C2", 7200, "3.1")
            await bridge.kill()
        await bridge.start_again()
        after = await bridge.read("killed")
        assert (after["state"], after["total_wh"], after["connected"]) == ("C2", 1500, False)
        assert after["last_contact"] == before["last_contact"], "a restart is no contact"
        resumed = bridge.charger("killed", Manners(boots=False))
        resumed.meter_wh, resumed.transaction, resumed.status = charger.meter_wh, charger.transaction, "Charging"
        async with resumed.connected():
            await resumed.draw(7200, 1500)
            await resumed.end()
            await resumed.call("StopTransaction", transactionId=resumed.transaction, meterStop=resumed.meter_wh)
        told = await bridge.get("/api/charge-points/killed/sessions")
        assert [one["energy_wh"] for one in told["sessions"]] == [2000], "sent again, and one all the same"

    run(story())


def test_two_boxes_with_one_identity_take_turns_and_nothing_answered_is_lost(bridge: OcppBridge) -> None:
    async def story() -> None:
        answered = 0

        async def box(turns: int) -> None:
            nonlocal answered
            for _ in range(turns):
                charger = bridge.charger("twice", Manners(boots=False))
                with suppress(ConnectionClosed, NoAnswer):  # the other one has taken over
                    await charger.connect()
                    for _ in range(3):
                        await charger.call("FirmwareStatusNotification", status="Idle")
                        answered += 1
                await charger.vanish()

        await asyncio.gather(box(6), box(6))
        async with bridge.charger("twice").connected():
            told = await bridge.until("/api/charge-points/twice", lambda told: told["connected"])
            assert told["contact"] == "online"
        events = await bridge.get("/api/charge-points/twice/events?limit=500")
        assert len([one for one in events["events"] if one["kind"] == "firmware"]) >= answered > 0

    run(story())


ODD = [
    [2, "1", "StatusNotification", {"connectorId": 1, "errorCode": "Error", "status": "Faulted"}],
    [
        2,
        "2",
        "BootNotification",
        {"chargePointVendor": "", "chargePointModel": None, "chargePointSerialNumber": "9" * 31},
    ],
    [2, "3", "Authorize", {"idTag": "X", "connectorId": 1}],
    [2, 4, "Heartbeat", {}],
    [2, "5", "Heartbeat"],
    [2, "6", "MeterValues", {"connectorId": 0, "meterValue": [{"sampledValue": [{"value": "4296944685"}]}]}],
    [2, "7", "StopTransaction", {"transactionId": -1, "meterStop": 5, "timestamp": "1970-01-01T00:00:00Z"}],
    [2, "8", "SecurityEventNotification", {"type": "StartupOfTheDevice"}],
]
UNREADABLE: list[str | bytes] = ["", "[", '[2,"9"', "{}", "hello", '[5,"10"]', b"\xff\xff"]


def is_later(last: str, told: dict[str, Any]) -> bool:
    return bool(told["last_contact"] > last)


def test_odd_frames_are_answered_and_close_nothing(bridge: OcppBridge) -> None:
    async def story() -> None:
        charger = bridge.charger("odd", Manners(boots=False, numeric_ids=True, appends_slash=True))
        async with charger.connected():
            for frame in ODD:
                said = await charger.ask(frame)
                assert said[0] == 3, (frame, said)
            for unreadable in UNREADABLE:
                last = (await bridge.read("odd"))["last_contact"]
                await charger.say(unreadable)
                await bridge.until("/api/charge-points/odd", partial(is_later, last))
            assert (await charger.ask([2, "x", "Nonsense", {}]))[2] == "NotImplemented"
            assert "currentTime" in await charger.call("Heartbeat")
            assert (await bridge.read("odd"))["faults"] == ["ocpp_other"]

    run(story())


def test_whoever_is_refused_is_never_contacted(bridge: OcppBridge) -> None:
    async def story() -> None:
        key = bridge.keys["refused"]
        strangers = [
            OcppCharger(bridge.port, "refused", key, Manners(subprotocols=())),
            OcppCharger(bridge.port, "refused", key, Manners(subprotocols=("ocpp2.0",))),
            OcppCharger(bridge.port, "refused", f"{key}x"),
        ]
        for stranger in strangers:
            with pytest.raises(InvalidStatus):
                await stranger.connect()
        told = await bridge.read("refused")
        assert (told["contact"], told["last_contact"], told["connected"]) == ("never", None, False)
        async with bridge.charger("refused", Manners(subprotocols=("OCPP1.6",))).connected():
            assert (await bridge.read("refused"))["contact"] == "online"

    run(story())


class Strict(ChargePoint):  # type: ignore[misc]  # the library has no types
    """The library's own charger, which refuses what its schemas do not allow."""

    @on("SetChargingProfile")  # type: ignore[untyped-decorator]
    def limit(self, **_asked: Any) -> Any:
        return call_result.SetChargingProfile(status="Accepted")


def test_the_librarys_own_charger_takes_our_answers_by_its_schemas_over_tls(bridge: OcppBridge) -> None:
    async def story() -> None:
        trusted = ssl.create_default_context(cafile=bridge.cloud.folder / "tls" / "ca.pem")
        trusted.check_hostname = False
        encoded = base64.b64encode(f"strict:{bridge.keys['strict']}".encode()).decode()
        async with connect(
            f"wss://127.0.0.1:{bridge.tls_port}/ocpp/strict",
            ssl=trusted,
            subprotocols=[Subprotocol("ocpp1.6")],
            additional_headers={"Authorization": f"Basic {encoded}"},
        ) as socket:
            strict = Strict("strict", socket, response_timeout=int(WITHIN_S))
            listening = asyncio.create_task(strict.start())
            now = datetime.now(UTC).isoformat()
            readings = [{"timestamp": now, "sampledValue": [{"value": "7"}]}]
            asked = [
                call.BootNotification(charge_point_model="M", charge_point_vendor="V"),
                call.Heartbeat(),
                call.StatusNotification(connector_id=1, error_code="NoError", status="Preparing"),
                call.Authorize(id_tag="TAG"),
                call.StartTransaction(connector_id=1, id_tag="TAG", meter_start=0, timestamp=now),
                call.MeterValues(connector_id=1, meter_value=readings),
                call.DataTransfer(vendor_id="V"),
                call.DiagnosticsStatusNotification(status="Idle"),
                call.FirmwareStatusNotification(status="Idle"),
                call.StopTransaction(meter_stop=7, timestamp=now, transaction_id=1),
            ]
            for one in asked:
                assert await strict.call(one, suppress=False) is not None
            state = await asyncio.to_thread(partial(bridge.order, "strict", do="limit", amps=10, minutes=60))
            told = await bridge.until(state, lambda told: told["status"] != "waiting")
            assert told["status"] == "done", told
            listening.cancel()

    run(story())


class StrictStation(Station):  # type: ignore[misc]  # the library has no types
    """The library's own 2.0.1 station, which refuses what its schemas do not allow. It accepts every setting and restarts
    for one."""

    def __init__(self, *words: Any) -> None:
        super().__init__(*words, response_timeout=int(WITHIN_S))
        self.was_asked = asyncio.Event()  # set after the request for the last variable

    @on("SetVariables")  # type: ignore[untyped-decorator]
    def set(self, set_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        needs_restart = set_variable_data[0]["variable"]["name"] == "LocalAuthorizeOffline"
        said = {"attribute_status": "RebootRequired" if needs_restart else "Accepted"}
        return result_201.SetVariables([said | _named(one) for one in set_variable_data])

    @on("GetVariables")  # type: ignore[untyped-decorator]
    def get(self, get_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        said = {"attribute_status": "Accepted", "attribute_value": "42"}
        if get_variable_data[-1]["component"]["name"] == "SmartChargingCtrlr":
            self.was_asked.set()
        return result_201.GetVariables([said | _named(one) for one in get_variable_data])

    @on("Reset")  # type: ignore[untyped-decorator]
    def restart(self, **_: Any) -> Any:
        return result_201.Reset(status="Scheduled")


def _named(variable: dict[str, Any]) -> dict[str, Any]:
    return {name: variable[name] for name in ("component", "variable")}


def transaction(kind: str, number: int, wh: int, at: datetime, **more: Any) -> Any:
    doing = {"transaction_id": "tx", "charging_state": "Charging" if kind == "Started" else "Idle"}
    reading = {"timestamp": at.isoformat(), "sampled_value": [{"value": wh}]}
    of_connector = {"evse": {"id": 1, "connector_id": 1}, "meter_value": [reading]}
    words = (kind, at.isoformat(), "CablePluggedIn", number, doing)
    return call_201.TransactionEvent(*words, **of_connector, **more)


def test_the_librarys_own_station_is_set_up_by_its_schemas_and_tells_a_session_of_before(bridge: OcppBridge) -> None:
    async def story() -> None:
        encoded = base64.b64encode(f"station:{bridge.keys['station']}".encode()).decode()
        async with connect(
            f"ws://127.0.0.1:{bridge.port}/ocpp/station",
            subprotocols=[Subprotocol("ocpp2.0.1")],
            additional_headers={"Authorization": f"Basic {encoded}"},
        ) as socket:
            station = StrictStation("station", socket)
            listening = asyncio.create_task(station.start())
            now = datetime.now(UTC)
            began, ended = now - timedelta(hours=3), now - timedelta(hours=1)
            asked = [
                call_201.BootNotification({"model": "M", "vendor_name": "V", "firmware_version": "2.1"}, "PowerUp"),
                call_201.StatusNotification(now.isoformat(), "Available", 1, 1),
                transaction("Started", 0, 1000, began, offline=True),
                transaction("Ended", 1, 4000, ended, offline=True),
                call_201.SecurityEventNotification("StartupOfTheDevice", now.isoformat()),
            ]
            for one in asked:
                assert await station.call(one, suppress=False) is not None
            async with asyncio.timeout(WITHIN_S):
                await station.was_asked.wait()
            state = await asyncio.to_thread(partial(bridge.order, "station", do="reboot"))
            assert (await bridge.until(state, lambda told: told["status"] != "waiting"))["status"] == "done"
            told = await bridge.read("station")
            assert (told["state"], told["firmware"], told["total_wh"]) == ("A1", "2.1", 4000)
            listening.cancel()

    run(story())
