"""With a running door: who can log in, what do they receive, and which commands can they give?"""

import json
import socket

import pytest

from cloud_bridge.ingest import packets, session
from cloud_bridge.store.access import Scope
from cloud_bridge.store.claims import release
from cloud_bridge.store.tokens import list_tokens, remove_token
from tests.cloud_bridge.home.homes import Door, Home, dora
from tests.cloud_bridge.people import give
from tests.cloud_bridge.raw import CONNACK_OK, connect_packet, text
from tests.cloud_bridge.running import DEADLINE_S, TOKEN, Bridge, Unit

BOTH = ("homeassistant/#", "chargekeeper/#")
POWER = "homeassistant/sensor/chargekeeper_cp-1/power/config"
LIMIT = "homeassistant/number/chargekeeper_cp-1/limit/config"
STATE = "chargekeeper/cp-1/state"


def beat(bridge: Bridge, unit: Unit, **keys: object) -> None:
    """Publish a heartbeat; return when it is stored."""
    before = bridge.counter("contacts")
    unit.publish("cp/cp-1/heartbeat", json.dumps({"b": 1, **keys}).encode())
    bridge.until(lambda: bridge.counter("contacts") > before and not bridge.app_state.recorder.waiting, "stored")


def test_it_hears_of_its_own_units_and_of_no_others(bridge: Bridge) -> None:
    token, unit = dora(bridge)
    beat(bridge, unit, n=1, s="C2", w=3600, e=1500, a=16)
    Unit(bridge, "cp-2", bridge.add_unit("cp-2").secret).connect().publish("cp/cp-2/heartbeat", b'{"n":1,"b":1,"w":1}')
    home = Home(bridge, Door(bridge), token, *BOTH, "cp/#", "#").looks()
    heard = home.newest()
    assert not [topic for topic in heard if "cp-2" in topic or topic.startswith("cp/")]
    assert json.loads(heard[STATE])["power_w"] == 3600
    assert (heard["chargekeeper/cp-1/available"], heard["chargekeeper/cp-1/contact"]) == (b"1", b"online")
    assert heard["chargekeeper/cp-1/last_contact"].decode() == bridge.read("cp-1")["last_contact"]
    assert POWER in heard and LIMIT not in heard, "its token may not order"
    home.heard.clear()
    bridge.clock.advance(1000)
    home.looks()
    assert not home.heard, "nothing has changed"
    beat(bridge, unit, n=2, s="A1", w=0, e=1600, a=16)
    assert json.loads(home.looks().newest()[STATE])["state"] == "no vehicle"
    changed = {STATE, "chargekeeper/cp-1/last_contact"}
    assert {topic for topic, _, _ in home.heard} == changed, "what has not changed is not told again"


def test_silence_is_told_though_no_row_changes(bridge: Bridge) -> None:
    token, unit = dora(bridge)
    beat(bridge, unit, n=1, s="A1")
    door = Door(bridge)
    home = Home(bridge, door, token, *BOTH).looks()
    assert home.newest()["chargekeeper/cp-1/available"] == b"1"
    bridge.clock.advance(31 * 60_000)
    home.reads_all().looks()
    assert home.newest()["chargekeeper/cp-1/contact"] == b"silent"
    assert home.newest()["chargekeeper/cp-1/available"] == b"0"


def test_who_is_not_let_in(bridge: Bridge) -> None:
    door = Door(bridge)
    assert Home(bridge, door, "a token that is nobody's").refusal == 135  # paho's code for CONNACK 5, not authorised
    assert bridge.counter("refused_wrong_secret") == 1
    assert Home(bridge, door, "").refusal == 135
    assert Home(bridge, door, TOKEN).refusal is None, "the token of the settings"


def test_a_token_that_is_removed_ends_what_was_opened_with_it(bridge: Bridge) -> None:
    (token, _), door = dora(bridge), Door(bridge)
    home = Home(bridge, door, token, *BOTH).looks()
    with bridge.app_state.database.writing() as connection:
        remove_token(connection, list_tokens(connection)[0]["id"])
    door.look()
    assert home.was_closed()
    assert bridge.counter("closed_revoked") == 1


def test_a_unit_that_is_sold_is_taken_out_and_a_new_one_told(bridge: Bridge) -> None:
    (token, _), door = dora(bridge, Scope.READ, Scope.COMMAND), Door(bridge)
    home = Home(bridge, door, token, *BOTH).looks()
    assert {POWER, LIMIT} <= set(home.newest())
    with bridge.app_state.database.writing() as connection:
        release(connection, "cp-1", now_ms=bridge.clock.now_ms())
    give(bridge, bridge.add_unit("cp-3").claim_code, "dora")
    emptied = home.looks().newest()
    assert (emptied[POWER], emptied[LIMIT]) == (b"", b"")
    home.looks()
    assert b"chargekeeper/cp-3/state" in home.newest()[POWER.replace("cp-1", "cp-3")]
    later = Home(bridge, door, token, "homeassistant/#", "chargekeeper/cp-1/state").looks()
    assert later.newest()[POWER] == b"", "also for one that was away meanwhile"
    home.orders("chargekeeper/cp-1/set/pause", b"PRESS")
    assert bridge.counter("dropped_foreign_topic") == 1


def test_an_order_is_that_of_the_interface(bridge: Bridge) -> None:
    (token, unit), door = dora(bridge, Scope.READ, Scope.COMMAND), Door(bridge)
    unit.subscribe("cp/cp-1/command")
    home = Home(bridge, door, token, *BOTH).looks()

    def until_told(said: str) -> None:
        def is_told() -> bool:
            told = home.looks().newest().get("chargekeeper/cp-1/order", b"{}")
            return bool(json.loads(told).get("said") == said)

        bridge.until(is_told, said)

    home.orders("chargekeeper/cp-1/set/limit", b"10")
    until_told("limit 10 A: waiting")
    bridge.until(lambda: unit.heard.is_set(), "heard")
    home.orders("chargekeeper/cp-1/set/limit", b"99")
    until_told("limit: not given, Input should be less than or equal to 80")


def test_too_many_orders_at_once_are_dropped_and_counted(bridge: Bridge) -> None:
    (token, _), door = dora(bridge), Door(bridge)
    home = Home(bridge, door, token, *BOTH).looks()
    for _ in range(200):
        home.sends("chargekeeper/cp-1/set/clear", b"PRESS")
    home.orders("chargekeeper/cp-1/set/clear", b"PRESS")
    assert bridge.counter("home_orders_dropped") > 0


def test_a_reader_orders_nothing(bridge: Bridge) -> None:
    (token, _), door = dora(bridge), Door(bridge)
    home = Home(bridge, door, token, *BOTH).looks()
    home.orders("chargekeeper/cp-1/set/pause", b"PRESS")
    bridge.until(lambda: b"may not order" in home.newest()["chargekeeper/cp-1/order"], "told so")
    assert bridge.client.get("/api/charge-points/cp-1").status_code == 200


def test_a_bridged_broker_gets_what_it_is_to_keep(bridge: Bridge) -> None:
    """It identifies itself by its protocol level (mosquitto's `try_private`), and gets the RETAIN flag on everything."""
    (token, unit), door = dora(bridge), Door(bridge)
    with socket.create_connection(("127.0.0.1", door.port), DEADLINE_S) as raw:
        raw.sendall(connect_packet("home", "home", token, level=0x84))
        assert raw.recv(4) == CONNACK_OK
        raw.sendall(packets.whole(0x82, b"\0\x01" + text("chargekeeper/+/available") + b"\0"))
        assert raw.recv(5) == b"\x90\x03\0\x01\0"
        for payload in (b"0", b"1"):
            door.look()
            told = packets.publish("chargekeeper/cp-1/available", payload, retain=True)
            assert raw.recv(len(told)) == told
            beat(bridge, unit, n=1, s="A1")


def test_who_says_nothing_is_closed(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "CONNECT_WITHIN_S", 0.0)
    door = Door(bridge)
    with socket.create_connection(("127.0.0.1", door.port), DEADLINE_S) as raw:
        bridge.until(lambda: door.accepted, "accepted")
        door.look()
        assert raw.recv(1) == b""
    assert bridge.counter("closed_no_connect") == 1


def test_nobody_keeps_the_door_with_what_is_no_mqtt(bridge: Bridge) -> None:
    door = Door(bridge)
    for bad in (b"GET / HTTP/1.1\r\n", packets.whole(0x10, b"\0\x04MQTT\x05\0\0\0")):
        with socket.create_connection(("127.0.0.1", door.port), DEADLINE_S) as raw:
            raw.sendall(bad)
            while raw.recv(100):
                pass
    assert (bridge.counter("closed_malformed"), bridge.counter("refused_protocol")) == (1, 1)
