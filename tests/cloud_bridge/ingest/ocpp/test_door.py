"""With a running door: who can connect, what is contact, and is every frame answered correctly?"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.ingest.ocpp import login
from cloud_bridge.ingest.ocpp.error_budget import ERRORS_AT_ONCE
from cloud_bridge.ingest.ocpp.identity import LONG_ID, unit_id_of
from cloud_bridge.ingest.quotas import Quotas
from cloud_bridge.store.ocpp_lines import NOTHING, line_of
from cloud_bridge.store.tables import contacts, events, heartbeats, security_events, sessions, unknown_clients
from cloud_bridge.store.units import Protocol, change_secret, revoke
from tests.cloud_bridge.ingest.ocpp.client import OcppClient, basic
from tests.cloud_bridge.running import DEADLINE_S, START_MS, Bridge, Unit, running_bridge


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    with running_bridge(tmp_path, ocpp=True) as bridge:
        yield bridge


def rows(bridge: Bridge, table: Any) -> list[Any]:
    with bridge.app_state.database.reading() as connection:
        return list(connection.execute(select(table)))


def status_of(refused: pytest.ExceptionInfo[InvalidStatus]) -> int:
    return refused.value.response.status_code


def test_a_charger_boots_charges_and_is_seen_as_any_other(bridge: Bridge) -> None:
    charger = OcppClient(bridge)
    booted = charger.call("BootNotification", chargePointVendor="V", chargePointModel="M", firmwareVersion="1.2.3")
    assert booted == {"status": "Accepted", "currentTime": "2026-01-01T00:00:00.000Z", "interval": 300}
    assert charger.call("StatusNotification", connectorId=1, errorCode="NoError", status="Preparing") == {}
    assert charger.call("Authorize", idTag="X") == {"idTagInfo": {"status": "Accepted"}}
    begun = charger.call(
        "StartTransaction", connectorId=1, idTag="X", meterStart=1000, timestamp="2026-01-01T00:00:00Z"
    )
    charger.call("StatusNotification", connectorId=1, errorCode="NoError", status="Charging")
    samples = [{"value": "7.2", "measurand": "Power.Active.Import", "unit": "kW"}, {"value": "1500"}]
    meter = [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": samples}]
    assert charger.call("MeterValues", connectorId=1, transactionId=begun["transactionId"], meterValue=meter) == {}
    told = bridge.read("wall")
    assert (told["state"], told["watts"], told["total_wh"], told["firmware"]) == ("C2", 7200.0, 1500, "1.2.3")
    assert (told["last_contact"], told["contact"], told["connected"]) == ("2026-01-01T00:00:00.000Z", "online", True)
    assert told["csq"] is None and told["mode"] is None, "what it cannot know is absent"
    stop = {"transactionId": begun["transactionId"], "meterStop": 3000, "timestamp": "2026-01-01T00:00:00Z"}
    assert charger.call("StopTransaction", **stop, reason="EVDisconnected")["idTagInfo"] == {"status": "Accepted"}
    charger.call("StopTransaction", **stop, reason="EVDisconnected")
    [session] = rows(bridge, sessions)
    assert (session.energy_wh, session.reason) == (2000, "EVDisconnected")


def test_a_station_of_2_0_1_is_seen_as_any_other_and_is_given_orders_in_its_own_words(bridge: Bridge) -> None:
    station = OcppClient(bridge, subprotocols=["ocpp2.0.1", "ocpp1.6"])
    assert station.socket.subprotocol == "ocpp2.0.1"
    named = {"vendorName": "V", "model": "M", "firmwareVersion": "2.1"}
    assert station.call("BootNotification", reason="PowerUp", chargingStation=named)["interval"] == 300
    station.call("StatusNotification", evseId=1, connectorId=1, connectorStatus="Occupied")
    info = {"transactionId": "a", "chargingState": "Charging"}
    station.call("TransactionEvent", eventType="Started", seqNo=0, transactionInfo=info)
    told = bridge.read("wall")
    assert (told["state"], told["firmware"], told["contact"]) == ("C2", "2.1", "online")
    assert station.answer([2, "x", "BootNotification", 7]) == "TypeConstraintViolation"
    assert station.answer([2, "y"]) == "FormatViolation", "as 2.0.1 spells it"
    given = order(bridge, do="pause", minutes=60)
    asked = station.asked("SetChargingProfile")
    assert asked[3]["chargingProfile"]["chargingProfilePurpose"] == "ChargingStationMaxProfile"
    station.send([3, asked[1], {"status": "Accepted"}])
    where = given.headers["location"]
    bridge.until(lambda: bridge.client.get(where).json()["status"] == "done", "told")


@pytest.mark.parametrize(
    "frame",
    ["", "{", "[]", "[2]", "null", '[2,"1"]', b"\xff\xfe", b"\x80", '[2,"1","Nonsense",{}]', "[3,1,2]", "[9,8,7]"],
)
def test_a_frame_that_cannot_be_read_is_contact_and_closes_nothing(bridge: Bridge, frame: str | bytes) -> None:
    charger = OcppClient(bridge)
    bridge.clock.advance(MINUTE_MS)
    charger.send(frame)
    bridge.until(lambda: bridge.counter("contacts") == 1, "heard")
    bridge.until(lambda: rows(bridge, contacts), "stored")
    assert [row.last_contact_ms for row in rows(bridge, contacts)] == [START_MS + MINUTE_MS]
    charger.send('[2,"x","Heartbeat",{}]')
    while (said := charger.receive())[1] != "x":
        assert said[0] == 4
    assert "currentTime" in said[2]


def test_pings_and_logins_are_no_contact(bridge: Bridge) -> None:
    charger = OcppClient(bridge)
    assert charger.socket.ping().wait(60)
    bridge.app_state.unit_reports.write()

    def alive() -> int | None:
        bridge.app_state.unit_reports.write()
        with bridge.app_state.database.reading() as connection:
            return line_of(connection, "wall").alive_ms

    bridge.until(lambda: alive() == START_MS, "noted as a sign of its line")
    charger.close()
    bridge.until(lambda: not bridge.app_state.live.unit("wall").connected, "gone")
    assert bridge.counter("contacts") == 0 and bridge.read("wall")["contact"] == "never"


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        ({"additional_headers": {}}, 401, login.NO_PASSWORD),
        ({"additional_headers": basic("wall", "wrong")}, 401, login.WRONG_SECRET),
        ({"additional_headers": basic("other", "wrong")}, 401, login.OTHER_USER),
        ({"subprotocols": None}, 400, login.NO_SUBPROTOCOL),
        ({"subprotocols": ["ocpp2.0"]}, 400, login.NO_SUBPROTOCOL),
    ],
)
def test_whoever_is_refused_is_no_contact_and_its_installer_reads_why(
    bridge: Bridge, options: dict[str, Any], status: int, reason: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        OcppClient(bridge, **options)
    assert status_of(refused) == status
    bridge.app_state.unit_reports.write()
    with bridge.app_state.database.reading() as connection:
        line = line_of(connection, "wall")
    assert line.refused is not None and line.refused == (START_MS, reason)
    assert bridge.counter("contacts") == 0


def test_an_id_of_nobody_and_a_unit_of_our_own_are_refused_alike(bridge: Bridge) -> None:
    secret = bridge.add_unit("ours").secret
    for unit_id in ("ours", "nobody"):
        with pytest.raises(InvalidStatus) as refused:
            OcppClient(bridge, unit_id, secret)
        assert status_of(refused) == 401
    assert bridge.counter("refused_unknown_unit") == 2


def test_a_charger_of_ocpp_gets_nowhere_by_mqtt(bridge: Bridge) -> None:
    secret = bridge.add_unit("wall", Protocol.OCPP).secret
    assert Unit(bridge, "wall", secret).connect().refusal == 135


def test_its_key_may_come_as_hexadecimal_digits(bridge: Bridge) -> None:
    secret = bridge.add_unit("wall", Protocol.OCPP).secret
    assert len(secret) == 20
    charger = OcppClient(bridge, "wall", secret, additional_headers=basic("wall", secret.encode().hex()))
    assert "currentTime" in charger.call("Heartbeat")


def test_of_two_connections_the_newest_counts_and_the_end_of_the_old_one_marks_nobody_gone(bridge: Bridge) -> None:
    first = OcppClient(bridge)
    first.call("StatusNotification", connectorId=1, errorCode="NoError", status="Charging")
    second = OcppClient(bridge, "wall", first.secret)
    with pytest.raises(ConnectionClosed):
        first.receive()
    assert "currentTime" in second.call("Heartbeat")
    told = bridge.read("wall")
    assert told["connected"] is True and told["state"] == "C2" and bridge.counter("take_overs") == 1


def test_two_that_take_turns_are_told_of(bridge: Bridge) -> None:
    chargers = [OcppClient(bridge)]
    for turn in range(4):
        bridge.app_state.unit_reports.write()
        with bridge.app_state.database.reading() as connection:
            assert line_of(connection, "wall").contested_ms is None, turn
        chargers[-1].call("Heartbeat")
        chargers.append(OcppClient(bridge, "wall", chargers[0].secret))
    chargers[-1].call("Heartbeat")
    bridge.app_state.unit_reports.write()
    with bridge.app_state.database.reading() as connection:
        assert line_of(connection, "wall").contested_ms == START_MS


def test_one_that_comes_back_before_the_end_of_its_old_connection_was_seen_is_no_second_charger(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = OcppClient(bridge)
    for _ in range(5):
        first.call("Heartbeat")
        assert bridge.app_state.ocpp is not None
        monkeypatch.setattr(bridge.app_state.ocpp._open["wall"].transport, "is_closing", lambda: True)
        first = OcppClient(bridge, "wall", first.secret)
    first.call("Heartbeat")
    bridge.app_state.unit_reports.write()
    with bridge.app_state.database.reading() as connection:
        assert line_of(connection, "wall").contested_ms is None


def test_a_login_asks_the_database_once(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each query takes a turn of a thread, and a whole fleet reconnects at once."""
    assert bridge.app_state.ocpp is not None
    credentials, asked = bridge.app_state.ocpp._admission.credentials, []
    look_up = credentials.look_up

    async def noted(query: Any, key: Any) -> Any:
        asked.append(key)
        return await look_up(query, key)

    monkeypatch.setattr(credentials, "look_up", noted)
    secret = OcppClient(bridge, "wall").secret
    assert asked.count("wall") == 1
    OcppClient(bridge, "wall", secret)
    assert asked.count("wall") == 2


def test_a_new_secret_ends_its_connection(bridge: Bridge) -> None:
    charger = OcppClient(bridge)
    with bridge.app_state.database.writing() as connection:
        change_secret(connection, "wall", START_MS)
    with pytest.raises(ConnectionClosed):
        charger.receive()
    assert bridge.counter("closed_revoked") == 1


def test_a_frame_that_is_too_large_ends_the_connection_and_is_counted(bridge: Bridge) -> None:
    charger = OcppClient(bridge)
    with pytest.raises(ConnectionClosed):
        charger.send("x" * 70_000)
        charger.receive()
    bridge.until(lambda: bridge.counter("closed_too_large") == 1, "counted")


def test_what_it_was_is_known_after_a_restart(tmp_path: Path) -> None:
    with running_bridge(tmp_path, ocpp=True) as bridge:
        charger = OcppClient(bridge)
        charger.call("StatusNotification", connectorId=1, errorCode="NoError", status="Charging")
        begun = charger.call(
            "StartTransaction", connectorId=1, idTag="X", meterStart=100, timestamp="2026-01-01T00:00:00Z"
        )
    with running_bridge(tmp_path, ocpp=True) as bridge:
        again = OcppClient(bridge, "wall", charger.secret)
        begun_again = again.call(
            "StartTransaction", connectorId=1, idTag="X", meterStart=100, timestamp="2026-01-01T00:00:00Z"
        )
        assert begun_again == begun, "the same one, sent again"
        again.call(
            "StopTransaction", transactionId=begun["transactionId"], meterStop=600, timestamp="2026-01-01T00:00:00Z"
        )
        assert bridge.read("wall")["state"] == "C2"
        assert [row.energy_wh for row in rows(bridge, sessions)] == [500]


def test_a_fault_is_told_and_cleared(bridge: Bridge) -> None:
    charger = OcppClient(bridge)
    charger.call("StatusNotification", connectorId=1, errorCode="GroundFailure", status="Faulted")
    assert bridge.read("wall")["faults"] == ["ocpp_groundfailure"]
    charger.call("StatusNotification", connectorId=1, errorCode="NoError", status="Available")
    assert bridge.read("wall")["faults"] is None
    assert [row.kind for row in rows(bridge, events)] == ["fault_raised", "fault_cleared"]


def order(bridge: Bridge, **wanted: Any) -> Any:
    return bridge.client.post("/api/charge-points/wall/commands", json=wanted)


def test_a_limit_is_a_profile_and_its_answer_is_the_chargers(bridge: Bridge) -> None:
    charger = OcppClient(bridge)
    charger.call("BootNotification", chargePointVendor="V", chargePointModel="M")
    given = order(bridge, do="limit", amps=10, minutes=60)
    assert given.status_code == 202, given.text
    asked = charger.asked("SetChargingProfile")
    schedule = asked[3]["csChargingProfiles"]["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10.0}] and schedule["duration"] == 3600
    charger.send([3, asked[1], {"status": "NotSupported"}])
    where = given.headers["location"]
    bridge.until(lambda: bridge.client.get(where).json()["status"] == "refused", "told")
    assert bridge.client.get(where).json()["reason"] == "not supported"


def test_a_loop_of_refusals_is_slowed_down_and_every_frame_is_contact(bridge: Bridge) -> None:
    charger = OcppClient(bridge)
    for number in range(30):
        charger.send([2, str(number), "Nonsense", {}])
    charger.send([2, "last", "Heartbeat", {}])
    refused = 0
    while (said := charger.receive())[1] != "last":
        refused += said[0] == 4
    assert refused == ERRORS_AT_ONCE and bridge.counter("errors_withheld") == 30 - refused
    assert bridge.counter("contacts") == 31


def test_a_maker_with_a_way_to_tell_its_signal_is_asked_for_it(bridge: Bridge) -> None:
    charger = OcppClient(bridge)
    charger.call("StatusNotification", connectorId=1, errorCode="NoError", status="Available")
    charger.call("BootNotification", chargePointVendor="Evnex", chargePointModel="R7")
    asked = charger.asked("DataTransfer")
    assert asked[3] == {"vendorId": "Evnex", "messageId": "GetRSSI"}
    charger.send([3, asked[1], {"status": "Accepted", "data": "-83"}])
    charger.call("Heartbeat")
    assert bridge.read("wall")["csq"] == 15


def test_what_a_maker_tells_in_its_own_way_is_kept(bridge: Bridge) -> None:
    charger = OcppClient(bridge)
    told = charger.call("DataTransfer", vendorId="V", messageId="Status", data="x=1")
    assert told == {"status": "UnknownVendorId"}
    [row] = rows(bridge, events)
    assert row.kind == "data" and json.loads(row.payload)["d"] == {"vendor": "V", "what": "Status", "data": "x=1"}


def test_an_identity_that_is_no_id_gets_in_as_its_unit(bridge: Bridge) -> None:
    unit_id = unit_id_of("R 1/ü")
    secret = bridge.add_unit(unit_id, Protocol.OCPP).secret
    charger = OcppClient(bridge, "R%201%2F%C3%BC", secret, additional_headers=basic("R 1/ü", secret))
    charger.call("Heartbeat")
    assert bridge.read(unit_id)["contact"] == "online"


def test_an_identity_that_no_unit_can_have_is_refused_with_the_reason_and_the_operator_sees_it(bridge: Bridge) -> None:
    secret, name = bridge.add_unit("wall", Protocol.OCPP).secret, "x" * 49
    with pytest.raises(InvalidStatus) as refused:
        OcppClient(bridge, name, secret)
    assert status_of(refused) == 404 and LONG_ID in (refused.value.response.body or b"").decode()
    bridge.app_state.unknown_clients.write()
    assert [row.id for row in rows(bridge, unknown_clients)] == [name[:36]]


def test_json_of_an_answer_has_no_spaces(bridge: Bridge) -> None:
    charger = OcppClient(bridge)
    charger.send('[2,7,"Heartbeat"]')
    said = charger.socket.recv(60)
    assert isinstance(said, str) and json.loads(said)[:2] == [3, 7] and " " not in said


@pytest.mark.store("sqlite")
def test_rows_that_are_not_valid_keep_nobody_out(bridge: Bridge) -> None:
    secret = bridge.add_unit("wall", Protocol.OCPP).secret
    with bridge.app_state.database.writing() as connection:
        connection.execute(insert(heartbeats), {"unit_id": "wall", "received_ms": START_MS, "payload": "{"})
        connection.execute(text("UPDATE heartbeats SET payload = x'ff'"))
        connection.execute(text("INSERT INTO ocpp_lines VALUES ('wall', 'soon', -1, x'ff', 1e300, x'ff', x'ff')"))
        assert line_of(connection, "wall") == NOTHING
    charger = OcppClient(bridge, "wall", secret)
    assert "currentTime" in charger.call("Heartbeat")


def test_one_that_sends_too_much_is_cut_off_and_told_of(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bridge.app_state.ocpp is not None
    monkeypatch.setattr(bridge.app_state.ocpp._ingest, "_quotas", Quotas(burst=5))
    charger = OcppClient(bridge)
    with pytest.raises(ConnectionClosed):
        for _ in range(6):
            charger.call("Heartbeat")
    assert bridge.counter("refused_over_quota") == 1 and bridge.counter("contacts") == 4, "one of five was its login"


@pytest.mark.store("sqlite")
def test_nothing_is_answered_that_is_not_stored(bridge: Bridge) -> None:
    charger, door = OcppClient(bridge), bridge.app_state.ocpp
    with bridge.app_state.database.writing():  # as when another program locks the database
        charger.send([2, "1", "Heartbeat", {}])
        bridge.until(lambda: bridge.counter("contacts") == 1, "heard")
        assert door is not None and door._open["wall"]._uncommitted == 1
        assert bridge.app_state.recorder.waiting == 1
    assert "currentTime" in charger.receive()[2]


def test_one_that_reads_no_pongs_is_cut_off(bridge: Bridge) -> None:
    secret = bridge.add_unit("wall", Protocol.OCPP).secret
    asked = {"Host": "x", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Protocol": "ocpp1.6"}
    asked |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", **basic("wall", secret)}
    head = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(DEADLINE_S)
        raw.connect(("127.0.0.1", bridge.ocpp_port))
        raw.sendall(f"GET /ocpp/wall HTTP/1.1\r\n{head}\r\n".encode())
        assert raw.recv(12) == b"HTTP/1.1 101"
        ping = b"\x89\xfd\0\0\0\0" + b"x" * 125  # masked with zeros
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                raw.sendall(ping * 1000)
    bridge.until(lambda: not bridge.app_state.live.unit("wall").connected, "cut off")


@pytest.mark.parametrize("cut", [1, 2, 5, 6, 7, 20])
def test_frames_in_pieces_and_in_heaps_are_all_answered_in_their_order(bridge: Bridge, cut: int) -> None:
    charger = OcppClient(bridge)
    beats = [
        Frame(Opcode.TEXT, json.dumps([2, str(n), "Heartbeat", {}]).encode()).serialize(mask=True) for n in range(9)
    ]
    fragments = [
        Frame(Opcode.TEXT, b'[2,"f",', fin=False).serialize(mask=True),
        Frame(Opcode.PING, b"").serialize(mask=True),
        Frame(Opcode.CONT, b'"Heartbeat",{}]').serialize(mask=True),
    ]
    raw = charger.socket.socket
    for part in (
        beats[0][:cut],
        beats[0][cut:] + beats[1],
        beats[2],
        b"".join(beats[3:5]) + beats[5][:cut],
        beats[5][cut:],
    ):
        raw.sendall(part)
    raw.sendall(b"".join(fragments) + beats[6])
    raw.sendall(beats[7])
    raw.sendall(beats[8])
    answered = [charger.receive()[1] for _ in range(10)]
    assert answered == ["0", "1", "2", "3", "4", "5", "f", "6", "7", "8"]


def test_more_than_may_wait_for_the_store_wait_unread_and_none_is_lost(bridge: Bridge) -> None:
    charger = OcppClient(bridge)
    beats = [
        Frame(Opcode.TEXT, json.dumps([2, str(n), "Heartbeat", {}]).encode()).serialize(mask=True) for n in range(300)
    ]
    charger.socket.socket.sendall(b"".join(beats))
    assert [charger.receive()[1] for _ in beats] == [str(n) for n in range(300)]
    assert bridge.counter("contacts") == 300


def behind_proxy(tmp_path: Path) -> Any:
    """Run a bridge behind a proxy on this machine."""
    return running_bridge(tmp_path, ocpp=True, proxies=("127.0.0.1/32",))


def test_a_certificate_that_a_proxy_has_checked_is_the_proof_of_the_charger_in_whose_name_it_is(tmp_path: Path) -> None:
    with behind_proxy(tmp_path) as bridge:
        bridge.add_unit("wall", Protocol.OCPP)
        shown = {"additional_headers": {"X-Client-Subject": "CN=wall,O=Maker"}}
        charger = OcppClient(bridge, "wall", "none", **shown)
        assert "currentTime" in charger.call("Heartbeat")
        with bridge.app_state.database.writing() as connection:
            revoke(connection, "wall", START_MS)
        with pytest.raises(ConnectionClosed):
            charger.receive()
        for unit_id in ("wall", "nobody"):
            with pytest.raises(InvalidStatus) as refused:
                OcppClient(bridge, unit_id, "none", additional_headers={"X-Client-Subject": f"CN={unit_id}"})
            assert status_of(refused) == 401


def test_nobody_but_a_proxy_tells_of_certificates_and_addresses(bridge: Bridge) -> None:
    bridge.add_unit("wall", Protocol.OCPP)
    with pytest.raises(InvalidStatus) as refused:
        OcppClient(bridge, "wall", "none", additional_headers={"X-Client-Subject": "CN=wall"})
    assert status_of(refused) == 401


def test_a_refusal_is_noted_with_the_address_that_the_proxy_tells(tmp_path: Path) -> None:
    with behind_proxy(tmp_path) as bridge:
        bridge.add_unit("wall", Protocol.OCPP)
        asked = basic("wall", "wrong") | {"X-Forwarded-For": "198.51.100.1, 192.0.2.7"}
        with pytest.raises(InvalidStatus):
            OcppClient(bridge, "wall", "none", additional_headers=asked)
        bridge.app_state.security_log.write()
        assert [row.address for row in rows(bridge, security_events)] == ["192.0.2.7"]


def test_its_own_canary_goes_the_way_of_the_chargers_and_is_none(bridge: Bridge) -> None:
    bridge.send_canary()
    assert bridge.app_state.ledger.last_ok_ms is None, "its door was not heard yet"
    bridge.send_ocpp_canary()
    bridge.until(lambda: bridge.app_state.ledger.last_ok_ms == START_MS, "heard on both ways")
    bridge.clock.advance(MINUTE_MS)
    bridge.send_canary()
    assert bridge.app_state.ledger.last_ok_ms == START_MS, "a door that is deaf is an outage of ours"
    bridge.send_ocpp_canary()
    bridge.until(lambda: bridge.app_state.ledger.last_ok_ms == START_MS + MINUTE_MS, "heard again")
    assert bridge.counter("contacts") == 0 and not rows(bridge, contacts) and bridge.app_state.ocpp is not None
    assert not bridge.app_state.ocpp.connected()
