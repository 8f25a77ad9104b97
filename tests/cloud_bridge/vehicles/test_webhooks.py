"""Is a webhook accepted if Smartcar has signed it, and no other?"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.vehicles.polling.poll import poll
from cloud_bridge.vehicles.polling.poller import poll_due
from cloud_bridge.vehicles.providers.calls import Bounded
from cloud_bridge.vehicles.providers.catalogue import Catalogue
from cloud_bridge.vehicles.providers.provider import BadSignature, MalformedDelivery, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.providers.registry import kinds
from cloud_bridge.vehicles.providers.section import Section
from cloud_bridge.vehicles.providers.smartcar import SIGNATURE, SmartcarWebhook, sign
from cloud_bridge.vehicles.webhooks import take_in
from cloud_bridge.web.app import create_app
from tests.cloud_bridge.running import START_MS, Bridge
from tests.cloud_bridge.vehicles.acting import Maker, Scene, scene

TOKEN = "management token"


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, Maker("smartcar")) as play:
        play.maker.webhook = SmartcarWebhook(TOKEN)
        state = play.begin(name="smartcar")
        poll(play.accounts, play.come_back(state, name="smartcar").vehicles[0])
        yield play


def signal(code: str, value: Any, at_ms: int = START_MS + 1000) -> dict[str, Any]:
    return {"code": code, "body": {"value": value}, "status": {"value": "SUCCESS"}, "meta": {"oemUpdatedAt": at_ms}}


def tell(accounts: Accounts, kind: str, **data: Any) -> dict[str, str]:
    body = json.dumps({"eventId": "e", "eventType": kind, "data": data, "meta": {"version": "4.0"}}).encode()
    return take_in(accounts, "smartcar", {SIGNATURE: sign(TOKEN, body)}, body)


def test_the_challenge_is_answered(play: Scene) -> None:
    assert tell(play.accounts, "VERIFY", challenge="abc") == {"challenge": sign(TOKEN, b"abc")}


@pytest.mark.parametrize("signature", ["", "0" * 64, "é", sign("another token", b'{"eventType":"VERIFY"}')])
def test_what_is_not_signed_is_not_read(play: Scene, signature: str) -> None:
    with pytest.raises(BadSignature):
        take_in(play.accounts, "smartcar", {SIGNATURE: signature}, b'{"eventType":"VERIFY"}')


@pytest.mark.parametrize("name", ["smartcar", "nobody", ""])
def test_a_provider_without_a_webhook_is_not_believed(play: Scene, name: str) -> None:
    play.maker.webhook = None
    with pytest.raises(BadSignature):
        take_in(play.accounts, name, {SIGNATURE: sign("", b"{}")}, b"{}")


@pytest.mark.parametrize("token", [{}, {"management_token": ""}, {"management_token": TOKEN}])
def test_the_webhook_is_there_with_a_management_token_only(token: dict[str, str]) -> None:
    kind = kinds()["smartcar"]
    provider = kind.make(Section("smartcar", {**kind.defaults, "client_id": "us", **token}), Bounded())
    assert (provider.webhook is not None) == (token.get("management_token") == TOKEN)
    assert TOKEN not in repr(provider) + repr(provider.webhook)


def test_a_state_is_a_reading(play: Scene) -> None:
    play.clock.advance(5000)
    signals = [
        signal("tractionbattery-stateofcharge", 78),
        signal("charge-ischarging", True),
        {"code": "tractionbattery-range", "body": {"value": 100, "unit": "miles"}},
        {"code": "location-isathome", "status": {"value": "ERROR"}},
        "nonsense",
    ]
    tell(play.accounts, "VEHICLE_STATE", vehicle={"id": "car-1"}, signals=signals)
    reading = play.vehicle().reading
    assert reading is not None
    assert (reading.battery_percent, reading.charging, reading.range_km) == (78, True, 160.9344)
    assert reading.plugged_in is True, "what it does not tell is as it was"
    assert play.vehicle().heard_ms == play.clock.now_ms(), "the account has been heard from"


def test_an_old_delivery_does_not_replace_a_newer_reading(play: Scene) -> None:
    signals = [signal("tractionbattery-stateofcharge", 3, START_MS - 60_000)]
    tell(play.accounts, "VEHICLE_STATE", vehicle={"id": "car-1"}, signals=signals)
    reading = play.vehicle().reading
    assert reading is not None
    assert reading.battery_percent == 50


def test_an_error_and_its_end_make_us_look_at_once(play: Scene) -> None:
    error = {"type": "CONNECTED_SERVICES_ACCOUNT", "code": "AUTHENTICATION_FAILED", "state": "ERROR"}
    play.maker.trouble["read"] = ProviderError(Trouble.CONSENT_GONE)
    assert poll_due(play.accounts) == 0
    tell(play.accounts, "VEHICLE_ERROR", vehicle={"id": "car-1"}, errors=[error])
    assert poll_due(play.accounts) == 1
    assert play.vehicle().link.state is State.ACCESS_LOST
    play.maker.trouble.clear()
    tell(play.accounts, "VEHICLE_ERROR", vehicle={"id": "car-1"}, errors=[error | {"state": "RESOLVED"}])
    poll_due(play.accounts)
    assert play.vehicle().link.state is State.LINKED


def test_a_repeated_error_cannot_take_a_car_away(play: Scene) -> None:
    tell(play.accounts, "VEHICLE_ERROR", vehicle={"id": "car-1"}, errors=[])
    poll_due(play.accounts)
    assert play.vehicle().link.state is State.LINKED


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data":[]}', b"\xff", b"null"])
def test_a_signed_body_that_is_no_event_is_refused(play: Scene, body: bytes) -> None:
    with pytest.raises(MalformedDelivery):
        take_in(play.accounts, "smartcar", {SIGNATURE: sign(TOKEN, body)}, body)


@pytest.mark.parametrize("data", [{}, {"vehicle": 7}, {"vehicle": {}}, {"vehicle": {"id": "nobody"}, "signals": 7}])
def test_an_event_about_no_car_of_ours_is_taken_and_forgotten(play: Scene, data: dict[str, Any]) -> None:
    assert tell(play.accounts, "VEHICLE_STATE", **data) == {}
    assert tell(play.accounts, "SOMETHING_NEW", **data) == {}


def test_the_address_of_the_webhook_needs_a_signature_and_no_login(bridge: Bridge) -> None:
    answer = bridge.stranger().post("/api/webhooks/smartcar", content=b"{}", headers={"SC-Signature": "0"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "the signature is not right"})


def smartcar_like() -> st.SearchStrategy[Any]:
    """Draw any JSON, and events with any values."""
    anything = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.sampled_from(["\0", "\ud800", "car-1"]),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=12,
    )
    signals = st.lists(
        st.fixed_dictionaries(
            {}, optional={"code": anything, "body": anything | st.just({"value": 5}), "meta": anything}
        )
    )
    data = st.fixed_dictionaries(
        {},
        optional={
            "challenge": anything,
            "vehicle": anything | st.fixed_dictionaries({"id": anything}),
            "signals": anything | signals,
        },
    )
    kinds = st.sampled_from(["VERIFY", "VEHICLE_STATE", "VEHICLE_ERROR", "X"]) | anything
    return anything | st.fixed_dictionaries({"eventType": kinds, "data": data | anything})


def test_any_signed_body_is_an_event_or_400(bridge: Bridge) -> None:
    app_state = bridge.app_state
    maker = Maker("smartcar")
    maker.webhook = SmartcarWebhook(TOKEN)
    accounts = replace(app_state.accounts, catalogue=Catalogue("https://app.example", {"smartcar": maker}))
    client = TestClient(create_app(replace(app_state, accounts=accounts)))

    def post(body: bytes) -> int:
        answer = client.post("/api/webhooks/smartcar", content=body, headers={"SC-Signature": sign(TOKEN, body)})
        return answer.status_code

    @settings(max_examples=200, deadline=None)
    @given(smartcar_like().map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50))
    def ask(body: bytes) -> None:
        assert post(body) in (200, 400, 422), body

    ask()
    for odd in (
        b"[" * 30_000,
        b'{"data":' * 5_000,
        b"9" * 10_000,
        b'{"eventType":"VERIFY","data":{"challenge":1e999}}',
    ):
        assert post(odd) == 400, odd[:40]
    headers = {"SC-Signature": "\xe9".encode("latin-1")}
    assert client.post("/api/webhooks/smartcar", content=b"{}", headers=headers).status_code == 401  # type: ignore[arg-type]
