"""Can a program with the scope for it give the pages' commands, once each, and read the charge point's own answer?"""

import asyncio
import json
from typing import Any

import pytest
from httpx2 import Response  # the response of Starlette's test client
from starlette.testclient import TestClient

from cloud_bridge import commands
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.access import Role, Scope
from cloud_bridge.store.claims import release
from cloud_bridge.store.commands import ANSWER_MS
from cloud_bridge.store.people import find_person
from cloud_bridge.store.tokens import add_token
from cloud_bridge.web.security.rates import ORDERS
from tests.cloud_bridge.people import PASSWORD, Visitor, entrust, give, unit_of
from tests.cloud_bridge.running import DEADLINE_S, START_MS, Bridge, Unit, sample
from tests.wire_schema import complaints

UNIT = "/api/charge-points/home-1"
COMMANDS = f"{UNIT}/commands"
PAUSE: dict[str, Any] = {"do": "pause", "minutes": 60}
READ_AND_COMMAND = (Scope.READ, Scope.COMMAND)


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    """Dora's unit, connected and subscribed."""
    unit = unit_of(bridge, "dora")
    unit.subscribe("cp/home-1/command")
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-idle"))
    return unit


def program(bridge: Bridge, name: str | None, scopes: tuple[Scope, ...] = READ_AND_COMMAND) -> TestClient:
    """Return a client with a token of that person."""
    with bridge.app_state.database.writing() as connection:
        person_id = None if name is None else find_person(connection, name).id
        token = add_token(connection, 0, scopes, person_id=person_id)
    client = bridge.stranger()
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.fixture
def dora(bridge: Bridge, unit: Unit) -> TestClient:
    return program(bridge, "dora")


def order(client: TestClient, key: str | None = None, **order: Any) -> Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(COMMANDS, json=order, headers=headers)


def heard(unit: Unit) -> dict[str, Any]:
    assert unit.heard.wait(DEADLINE_S)
    (command,) = unit.commands
    assert complaints("command", command) == []
    return dict(command)


ACROSS_MIDNIGHT = [{"from": "23:30", "to": "05:30"}]
WEEKDAYS_ALONE = {"weekdays": [{"from": "00:00", "to": "00:00"}]}


@pytest.mark.parametrize(
    ("ordered", "sent"),
    [
        ({"do": "limit", "amps": 16, "minutes": 90}, {"do": "limit", "amps": 16, "exp": START_MS // 1000 + 5400}),
        (
            {"do": "limit", "amps": 6, "until": "2026-01-01T03:00:00+01:00"},
            {"do": "limit", "amps": 6, "exp": START_MS // 1000 + 7200},
        ),
        ({"do": "pause", "minutes": 7 * 24 * 60}, {"do": "pause", "exp": START_MS // 1000 + 7 * 86400}),
        ({"do": "charge_now"}, {"do": "override", "on": True}),
        ({"do": "charge_now", "on": False}, {"do": "override", "on": False}),
        ({"do": "schedule", "charge": "default"}, {"do": "schedule", "hours": "default"}),
        ({"do": "schedule", "charge": "any_time"}, {"do": "schedule", "hours": "off"}),
        (
            {"do": "schedule", "charge": {"weekdays": ACROSS_MIDNIGHT, "weekend": ACROSS_MIDNIGHT}},
            {"do": "schedule", "hours": "mon-sun 05:30-23:30"},
        ),
        ({"do": "schedule", "charge": WEEKDAYS_ALONE}, {"do": "schedule", "hours": "sat-sun 00:00-24:00"}),
        ({"do": "skip_delay"}, {"do": "skip_delay"}),
        ({"do": "clear"}, {"do": "resume"}),
    ],
)
def test_an_order_reaches_the_charge_point_in_its_own_words(
    unit: Unit, dora: TestClient, ordered: dict[str, Any], sent: dict[str, Any]
) -> None:
    answer = order(dora, **ordered)
    assert answer.status_code == 202, answer.text
    command = heard(unit)
    assert {key: value for key, value in command.items() if key != "id"} == sent
    said = answer.json()
    assert (said["id"], said["do"], said["status"]) == (command["id"], ordered["do"], "waiting")
    assert (said["ends_at"] is not None) == ("exp" in sent)
    assert dora.get(answer.headers["Location"]).json() == said


@pytest.mark.parametrize(
    "ordered",
    [
        {"do": "limit", "amps": 16},
        {"do": "limit", "amps": 16, "minutes": 60, "until": "2026-01-01T03:00:00Z"},
        {"do": "limit", "amps": 5, "minutes": 60},
        {"do": "limit", "amps": 16.5, "minutes": 60},
        {"do": "pause", "minutes": 0},
        {"do": "pause", "minutes": 7 * 24 * 60 + 1},
        {"do": "pause", "until": "2026-01-01T00:00:00Z"},
        {"do": "pause", "until": "2026-01-09T00:00:00Z"},
        {"do": "pause", "until": "2026-01-01T03:00:00"},
        {"do": "pause", "minutes": 60, "amps": 16},
        {"do": "schedule", "charge": "mon-fri 16:00-21:00"},
        {"do": "schedule", "charge": {}},
        {"do": "schedule", "charge": {"weekdays": [{"from": "22:00", "to": "24:00"}]}},
        {"do": "schedule", "charge": {"weekdays": [{"from": "00:00", "to": "01:00"}] * 3}},
        {"do": "rescan"},
        {},
    ],
)
def test_an_order_that_cannot_be_is_refused_and_not_sent(
    bridge: Bridge, unit: Unit, dora: TestClient, ordered: dict[str, Any]
) -> None:
    answer = dora.post(COMMANDS, json=ordered)
    assert answer.status_code == 422
    assert all(reason["loc"][0] == "body" and reason["msg"] for reason in answer.json()["detail"])
    bridge.command("home-1", b'{"id":"last"}')
    assert heard_ids(unit, "last") == ["last"]


@pytest.mark.parametrize("do", ["stop", "unlock", "reboot"])
def test_what_only_a_charger_of_ocpp_does_is_not_sent_to_a_unit_of_our_own(
    bridge: Bridge, unit: Unit, dora: TestClient, do: str
) -> None:
    answer = dora.post(COMMANDS, json={"do": do})
    assert answer.status_code == 409 and "Nothing was sent" in answer.text


def heard_ids(unit: Unit, last: str) -> list[str]:
    """Wait for the command with the id `last`; return the ids of all commands until then."""
    while last not in [command["id"] for command in unit.commands]:
        unit.heard.clear()
        if last not in [command["id"] for command in unit.commands]:
            assert unit.heard.wait(DEADLINE_S)
    return [command["id"] for command in unit.commands]


def test_the_answer_is_the_charge_point_s_own(bridge: Bridge, unit: Unit, dora: TestClient) -> None:
    place = order(dora, do="limit", amps=16, minutes=60).headers["Location"]
    reply = json.loads(sample("result-in-force")) | {"id": heard(unit)["id"]}
    unit.publish("cp/home-1/result", json.dumps(reply).encode())
    bridge.until(lambda: dora.get(place).json()["status"] == "done", "answered")
    said = dora.get(place).json()
    assert said["answered_at"] == "2026-01-01T00:00:00.000Z"
    in_force = said["in_force"]
    assert (in_force["allowed_amps"], in_force["by"], in_force["also"]) == (16, "cloud", ["override"])
    assert in_force["until"] == "2026-01-12T09:22:00.000Z"
    assert "Limited to 16 A by you" in in_force["said"]
    assert in_force["said"] in said["said"]


def test_a_refusal_comes_with_its_reason_in_words(bridge: Bridge, unit: Unit, dora: TestClient) -> None:
    place = order(dora, **PAUSE).headers["Location"]
    refusal = json.loads(sample("result-refused")) | {"id": heard(unit)["id"], "y": "time unknown"}
    unit.publish("cp/home-1/result", json.dumps(refusal).encode())
    bridge.until(lambda: dora.get(place).json()["status"] == "refused", "refused")
    said = dora.get(place).json()
    assert said["reason"] == "time unknown"
    assert "does not know the time yet" in said["said"]
    assert said["in_force"] is None


def test_no_answer_within_a_minute_is_said_so(bridge: Bridge, dora: TestClient) -> None:
    place = order(dora, do="clear").headers["Location"]
    bridge.clock.advance(ANSWER_MS + 1)
    assert dora.get(place).json()["status"] == "unanswered"


def test_a_silent_charge_point_is_told_at_once(bridge: Bridge, unit: Unit, dora: TestClient) -> None:
    unit.disconnect()
    bridge.until(lambda: not bridge.read("home-1")["connected"], "gone")
    for _ in range(2):
        answer = order(dora, key="a", **PAUSE)
        assert answer.status_code == 409
        assert "no connection" in answer.json()["detail"]


def test_a_broker_that_hangs_is_as_one_that_is_gone(
    bridge: Bridge, unit: Unit, dora: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no error of ours: the page then shows what became of the command."""
    cancelled: list[str] = []

    async def hang(unit_id: str, _payload: bytes) -> bool:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(unit_id)
            raise
        return True

    monkeypatch.setattr(commands, "SEND_S", 0.01)
    monkeypatch.setattr(bridge.app_state.broker, "command", hang)
    assert order(dora, **PAUSE).status_code == 409
    page = "/charge-points/home-1/charging"
    assert "Not sent" in Visitor(bridge, "dora").post(f"{page}/pause", page, hours=1).text
    bridge.until(lambda: cancelled == ["home-1"] * 2, "given up")


def test_a_retry_orders_nothing_twice(bridge: Bridge, unit: Unit, dora: TestClient) -> None:
    first = order(dora, key="evening-1", do="limit", amps=16, until="2026-01-01T03:00:00Z")
    bridge.clock.advance(MINUTE_MS // 2)
    again = order(dora, key="evening-1", do="limit", amps=16, until="2026-01-01T03:00:00Z")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    other = order(dora, key="evening-2", **PAUSE)
    assert heard_ids(unit, other.json()["id"]) == [first.json()["id"], other.json()["id"]]
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    bridge.app_state.security_log.write()
    assert olga.get("/security").count("limit to home-1") == 1


def test_a_retry_long_after_is_answered_and_no_new_order(bridge: Bridge, unit: Unit, dora: TestClient) -> None:
    until = "2026-01-01T03:00:00Z"
    first = order(dora, key="a", do="pause", until=until)
    bridge.clock.advance(4 * 60 * MINUTE_MS)
    again = order(dora, key="a", do="pause", until=until)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])


def test_time_goes_on_between_an_order_and_its_command(
    bridge: Bridge, unit: Unit, dora: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock that stands still, no test noticed that the end was a millisecond late, and the command refused for its
    own key."""
    give = commands.give

    def a_moment_later(*arguments: Any) -> str:
        bridge.clock.advance(7)
        return give(*arguments)

    monkeypatch.setattr(commands, "give", a_moment_later)
    for key in (None, "a", "a"):
        assert order(dora, key=key, do="pause", until="2026-01-01T03:00:00Z").status_code == 202


@pytest.mark.parametrize(
    "other", [{"do": "limit", "amps": 16, "minutes": 60}, {"do": "pause", "minutes": 61}, {"do": "clear"}]
)
def test_a_key_stands_for_one_order(dora: TestClient, other: dict[str, Any]) -> None:
    assert order(dora, key="a", **PAUSE).status_code == 202
    answer = order(dora, key="a", **other)
    assert answer.status_code == 422
    (reason,) = answer.json()["detail"]
    assert reason["loc"] == ["header", "Idempotency-Key"]


def test_the_same_key_of_somebody_else_is_another_one(bridge: Bridge, dora: TestClient) -> None:
    first, other = order(dora, key="a", **PAUSE), order(program(bridge, None), key="a", **PAUSE)
    assert (first.status_code, other.status_code) == (202, 202)
    assert first.json()["id"] != other.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 65, "a b", "\xfc"])
def test_a_key_has_a_bound(dora: TestClient, key: str) -> None:
    answer = dora.post(COMMANDS, json=PAUSE, headers=[(b"Idempotency-Key", key.encode("latin-1"))])
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("name", "role", "scopes"),
    [
        ("dora", None, (Scope.READ,)),
        ("ingo", Role.INSTALLER, READ_AND_COMMAND),
        ("sue", Role.SUPPORT, READ_AND_COMMAND),
    ],
)
def test_without_the_scope_nothing_is_ordered(
    bridge: Bridge, unit: Unit, name: str, role: Role | None, scopes: tuple[Scope, ...]
) -> None:
    if role is not None:
        bridge.add_person(name, PASSWORD, role)
    if role is Role.INSTALLER:
        entrust(bridge, "home-1", name)
    answer = order(program(bridge, name, scopes), **PAUSE)
    assert (answer.status_code, answer.json()["detail"]) == (403, "this needs the scope command")


def test_a_session_orders_nothing(bridge: Bridge, unit: Unit) -> None:
    answer = Visitor(bridge, "dora").client.post(COMMANDS, json=PAUSE)
    assert (answer.status_code, answer.json()["detail"]) == (403, "a session may only read here: use a token")


def test_another_driver_finds_nothing_to_order(bridge: Bridge, unit: Unit) -> None:
    bridge.add_person("eve", PASSWORD, Role.DRIVER)
    assert order(program(bridge, "eve"), **PAUSE).status_code == 404


def test_the_next_owner_is_told_of_no_command_of_the_last(bridge: Bridge) -> None:
    new = bridge.add_unit("home-1")
    Unit(bridge, "home-1", new.secret).connect()
    for name in ("dora", "eve"):
        bridge.add_person(name, PASSWORD, Role.DRIVER)
    give(bridge, new.claim_code, "dora")
    dora, eve = program(bridge, "dora"), program(bridge, "eve")
    place = order(dora, **PAUSE).headers["Location"]
    assert eve.get(place).status_code == 404
    bridge.clock.advance(MINUTE_MS)
    with bridge.app_state.database.writing() as connection:
        release(connection, "home-1", now_ms=bridge.clock.now_ms())
    give(bridge, new.claim_code, "eve")
    assert dora.get(place).json() == {"detail": "no such charge point"}
    assert eve.get(place).json() == {"detail": "no such command"}


def test_orders_have_the_rate_of_the_pages(bridge: Bridge, dora: TestClient) -> None:
    """A retry uses none of it."""
    (rate,) = ORDERS
    for number in range(rate.allowed):
        assert order(dora, key=f"{number}", do="clear").status_code == 202
    answer = order(dora, key="one-more", do="clear")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= rate.window_ms // 1000
    assert order(dora, key="0", do="clear").status_code == 202
    page = "/charge-points/home-1/charging"
    assert Visitor(bridge, "dora").post(f"{page}/resume", page).status_code == 429, "it is one rate"


def test_what_is_in_force_is_told_while_it_is_known(bridge: Bridge, unit: Unit, dora: TestClient) -> None:
    assert dora.get(f"{UNIT}/in-force").json()["in_force"] is None, "an idle one is limited by nothing"
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-charge-now-limited"))
    told = dora.get(f"{UNIT}/in-force").json()["in_force"]
    beat = json.loads(sample("heartbeat-charge-now-limited"))
    assert (told["allowed_amps"], told["by"]) == (beat["l"], beat["y"])
    assert told["told_at"] == "2026-01-01T00:00:00.000Z"
    assert f"{beat['l']} A" in told["said"]
    bridge.clock.advance(31 * MINUTE_MS)
    assert dora.get(f"{UNIT}/in-force").json() == {"in_force": None}
