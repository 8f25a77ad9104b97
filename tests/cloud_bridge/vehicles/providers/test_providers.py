"""Is every documented error of each provider understood, and every answer parsed into the same terms?"""

import json
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.vehicles.providers.provider import Car, Grant, Provider, ProviderError, Reading
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.providers.registry import kinds
from cloud_bridge.vehicles.providers.section import Section
from tests.cloud_bridge.vehicles.provider_calls import Wire

NOW_MS = 1_767_225_600_000
OAUTH = {
    "client_id": "us",
    "authorise_url": "https://m.example/a",
    "token_url": "https://m.example/t",
    "scopes": ["read"],
}
EU, NA = "https://eu.example", "https://na.example"


def made(kind: str, wire: Wire, **values: Any) -> Provider:
    """Return a provider of this kind, as the catalogue makes it."""
    return kinds()[kind].make(Section(kind, {**kinds()[kind].defaults, **OAUTH, **values}), wire.transport)


def tesla(wire: Wire) -> Provider:
    return made("tesla", wire, api_url=[EU, NA])


def smartcar(wire: Wire) -> Provider:
    return made("smartcar", wire, api_url="https://sc.example/v2.0")


def generic(wire: Wire) -> Provider:
    return made("generic", wire, api_url="https://g.example")


def said(code: str, kind: str, status: int, resolution: str | None = None) -> tuple[int, dict[str, Any]]:
    """Return a Smartcar error as documented."""
    return status, {
        "type": kind,
        "code": code or None,
        "description": "…",
        "docURL": "…",
        "statusCode": status,
        "requestId": "5dea93a1-3f79-4246-90c5-89610a20471b",
        "resolution": {"type": resolution},
        "suggestedUserMessage": "Do this in your car's app.",
    }


def tesla_said(status: int, error: str) -> tuple[int, dict[str, Any]]:
    return status, {"response": None, "error": error, "error_description": ""}


TESLA = [
    (tesla_said(401, "invalid bearer token"), Trouble.STALE_TOKEN),
    (tesla_said(401, "token expired (401)"), Trouble.STALE_TOKEN),
    (tesla_said(401, "login_required"), Trouble.CONSENT_GONE),
    (tesla_said(401, "mobile_access_disabled"), Trouble.REMOTE_OFF),
    (tesla_said(403, "mobile_access_disabled"), Trouble.REMOTE_OFF),
    (tesla_said(402, "payment required"), Trouble.BILLING),
    (tesla_said(403, "Unauthorized missing scopes"), Trouble.SCOPE_MISSING),
    (tesla_said(403, "invalid_scope"), Trouble.SCOPE_MISSING),
    (tesla_said(403, "unsupported vehicle"), Trouble.PRECONDITION),
    (tesla_said(400, "invalid_command"), Trouble.MISUSED),
    (tesla_said(405, "invalid_method"), Trouble.MISUSED),
    (tesla_said(406, ""), Trouble.MISUSED),
    (tesla_said(422, ""), Trouble.MISUSED),
    (tesla_said(404, "not_found"), Trouble.VEHICLE_GONE),
    (tesla_said(408, "vehicle unavailable: vehicle is offline or asleep"), Trouble.ASLEEP),
    (tesla_said(412, "not registered in this region"), Trouble.PRECONDITION),
    (tesla_said(423, "account locked"), Trouble.ACCOUNT_LOCKED),
    (tesla_said(429, "over limit"), Trouble.RATE_LIMITED),
    (tesla_said(424, ""), Trouble.OUTAGE),
    (tesla_said(451, ""), Trouble.ACCOUNT_ISSUE),
    (tesla_said(499, ""), Trouble.OUTAGE),
    (tesla_said(500, "internal"), Trouble.OUTAGE),
    (tesla_said(503, "upstream"), Trouble.OUTAGE),
    (tesla_said(540, "device unexpected response"), Trouble.OUTAGE),
    ((200, b"<html>"), Trouble.OUTAGE),
    ((403, b"<html>"), Trouble.UNEXPLAINED),
    ((404, b"<html>"), Trouble.UNEXPLAINED),  # a proxy's page does not mean that the vehicle is gone
    ((401, b"<html>"), Trouble.STALE_TOKEN),
    ((401, b""), Trouble.STALE_TOKEN),
    ((418, {"error": "teapot"}), Trouble.UNEXPLAINED),
    ((403, {"errors": [{"code": "mobile_access_disabled"}]}), Trouble.REMOTE_OFF),
    ((200, {"error": {"code": "login_required"}}), Trouble.CONSENT_GONE),
    ((301, b""), Trouble.OUTAGE),
]
CSA = "CONNECTED_SERVICES_ACCOUNT"
SMARTCAR = [
    (said("AUTHENTICATION_FAILED", CSA, 400, "REAUTHENTICATE"), Trouble.CONSENT_GONE),
    (said("ACCOUNT_ISSUE", CSA, 400), Trouble.ACCOUNT_ISSUE),
    (said("PERMISSION", CSA, 400), Trouble.ACCOUNT_ISSUE),
    (said("SUBSCRIPTION", CSA, 400), Trouble.SUBSCRIPTION),
    (said("VIRTUAL_KEY_REQUIRED", CSA, 400), Trouble.VIRTUAL_KEY),
    (said("VEHICLE_MISSING", CSA, 400), Trouble.VEHICLE_GONE),
    (said("", "AUTHENTICATION", 401), Trouble.STALE_TOKEN),
    (said("", "PERMISSION", 403, "REAUTHENTICATE"), Trouble.SCOPE_MISSING),
    (said("ASLEEP", "VEHICLE_STATE", 409), Trouble.ASLEEP),
    (said("UNREACHABLE", "VEHICLE_STATE", 409, "RETRY_LATER"), Trouble.ASLEEP),
    (said("REMOTE_ACCESS_DISABLED", "VEHICLE_STATE", 409), Trouble.REMOTE_OFF),
    (said("VEHICLE", "RATE_LIMIT", 429, "RETRY_LATER"), Trouble.RATE_LIMITED),
    (said("INVALID_PLAN", "BILLING", 430), Trouble.BILLING),
    (said("INTERNAL", "SERVER", 500, "RETRY_LATER"), Trouble.OUTAGE),
    (said("", "UPSTREAM", 502), Trouble.OUTAGE),
    ((200, b"<html>"), Trouble.OUTAGE),
]
GENERIC = [
    ((401, {"error": "invalid_token"}), Trouble.STALE_TOKEN),
    ((403, {"error": "invalid_token"}), Trouble.STALE_TOKEN),
    ((400, {"errors": [{"code": "token_expired"}]}), Trouble.STALE_TOKEN),
    ((200, {"error": "invalid_token"}), Trouble.STALE_TOKEN),
    ((200, {"error": "something_new"}), Trouble.UNEXPLAINED),
    ((400, {"error": "something_new"}), Trouble.UNEXPLAINED),
    ((403, {"error": {"code": "insufficient_scope"}}), Trouble.SCOPE_MISSING),
    ((404, b"not found"), Trouble.UNEXPLAINED),
    ((404, b""), Trouble.VEHICLE_GONE),
    ((403, {"error": "insufficient_scope"}), Trouble.SCOPE_MISSING),
    ((403, {"error": "remote_access_disabled"}), Trouble.REMOTE_OFF),
    ((404, {"error": "not_found"}), Trouble.VEHICLE_GONE),
    ((408, {"error": "asleep"}), Trouble.ASLEEP),
    ((429, {"error": "slow_down"}), Trouble.RATE_LIMITED),
    ((502, b"<html>bad gateway</html>"), Trouble.OUTAGE),
]


@pytest.mark.parametrize(
    ("make", "answer", "trouble"),
    [(make, *row) for make, table in ((tesla, TESLA), (smartcar, SMARTCAR), (generic, GENERIC)) for row in table],
)
def test_every_row_of_the_error_table(make: Any, answer: Any, trouble: Trouble) -> None:
    with pytest.raises(ProviderError) as caught:
        make(Wire(answer)).read("A1", "car-1", NOW_MS)
    assert caught.value.trouble is trouble


@pytest.mark.parametrize("make", [tesla, smartcar, generic])
def test_no_answer_is_an_outage(make: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        make(Wire(httpx2.ConnectTimeout("no"))).cars("A1")
    assert caught.value.trouble is Trouble.OUTAGE


def test_smartcars_own_words_reach_the_driver() -> None:
    with pytest.raises(ProviderError) as caught:
        smartcar(Wire(said("SUBSCRIPTION", CSA, 400))).read("A1", "car-1", NOW_MS)
    assert caught.value.advice == "Do this in your car's app."


@pytest.mark.parametrize(
    ("header", "wait_ms"),
    [("30", 30_000), ("999999999", 86_400_000), ("9" * 5000, 86_400_000), ("soon", None), ("-1", None)],
)
def test_how_long_to_wait_is_taken_from_the_provider(header: str, wait_ms: int | None) -> None:
    with pytest.raises(ProviderError) as caught:
        generic(Wire((429, {}, {"Retry-After": header}))).cars("A1")
    assert caught.value.retry_after_ms == wait_ms


def test_a_tesla_is_read_in_our_units() -> None:
    charge = {"battery_level": 62, "battery_range": 100.0, "charging_state": "Charging", "timestamp": NOW_MS - 5000}
    wire = Wire((200, {"response": {"state": "online"}}), (200, {"response": {"charge_state": charge}}))
    assert tesla(wire).read("A1", "VIN1", NOW_MS) == Reading(NOW_MS - 5000, 62.0, True, True, 160.9344)
    assert wire.asked[0].headers["Authorization"] == "Bearer A1"


def test_a_sleeping_tesla_is_let_sleep() -> None:
    wire = Wire((200, {"response": {"state": "asleep"}}))
    with pytest.raises(ProviderError) as caught:
        tesla(wire).read("A1", "VIN1", NOW_MS)
    assert caught.value.trouble is Trouble.ASLEEP
    assert len(wire.asked) == 1, "its data is not asked for, which would keep it awake"


def test_a_tesla_account_of_another_region_is_found_there() -> None:
    cars = {"response": [{"id": 1, "vin": "5yj1", "display_name": "Blue"}, {"id": 2, "vin": None}]}
    wire = Wire(tesla_said(421, "user out of region"), (200, {"response": {"fleet_api_base_url": NA}}), (200, cars))
    assert tesla(wire).cars("A1") == [Car("5yj1", "5YJ1", "Blue")]
    assert [str(request.url) for request in wire.asked][1:] == [f"{EU}/api/1/users/region", f"{NA}/api/1/vehicles"]


def test_a_region_that_is_not_in_the_settings_is_not_followed() -> None:
    wire = Wire(tesla_said(421, "user out of region"), (200, {"response": {"fleet_api_base_url": "https://evil"}}))
    with pytest.raises(ProviderError) as caught:
        tesla(wire).cars("A1")
    assert caught.value.trouble is Trouble.REGION
    assert len(wire.asked) == 2


def test_a_car_at_smartcar_is_read_in_our_units() -> None:
    age = {"SC-Data-Age": "2025-12-31T23:59:00.000Z"}
    wire = Wire(
        (200, {"percentRemaining": 0.3, "range": 40.5}, age), (200, {"isPluggedIn": True, "state": "NOT_CHARGING"})
    )
    assert smartcar(wire).read("A1", "car-1", NOW_MS) == Reading(NOW_MS - 60_000, 30.0, True, False, 40.5)


def test_the_cars_of_a_smartcar_account_have_their_vin() -> None:
    wire = Wire(
        (200, {"vehicles": ["a-1"], "paging": {"count": 1, "offset": 0}}),
        (200, {"id": "a-1", "make": "TESLA", "model": "Model S", "year": 2014}),
        (200, {"vin": "5yjsa1cn5dfp00101"}),
    )
    assert smartcar(wire).cars("A1") == [Car("a-1", "5YJSA1CN5DFP00101", "TESLA Model S")]


def test_nonsense_in_an_answer_is_unknown() -> None:
    told = {"battery_percent": 140, "plugged_in": "yes", "charging": 1, "range_km": -4, "seen_ms": NOW_MS * 2}
    assert generic(Wire((200, told))).read("A1", "c", NOW_MS) == Reading(NOW_MS)
    assert generic(Wire((200, {"vehicles": [{"id": "x"}, 7, {"vin": "V"}]}))).cars("A1") == []


DEEP = b'{"a":' * 100_000
BROKEN = [DEEP, b"[" * 100_000, b'{"error": "invalid', b'{"a": ' + b"9" * 5000 + b"}", b'{"\xff"}']


@pytest.mark.parametrize("status", [200, 400, 401, 404, 503])
@pytest.mark.parametrize("body", BROKEN, ids=lambda body: repr(body[:8]))
@pytest.mark.parametrize("make", [tesla, smartcar, generic])
def test_an_answer_that_cannot_be_decoded_is_an_outage(make: Any, body: bytes, status: int) -> None:
    for call in ("cars", "read", "refresh", "exchange", "release"):
        provider = make(Wire((status, body)))
        arguments = {
            "cars": ("A1",),
            "read": ("A1", "car-1", NOW_MS),
            "refresh": ("R1", NOW_MS),
            "exchange": ("c", "v" * 43, "https://app.example", NOW_MS),
            "release": (Grant("A1", "R1", NOW_MS, NOW_MS, ()), "car-1"),
        }[call]
        if call == "release" and make is not smartcar:
            continue
        with pytest.raises(ProviderError) as caught:
            getattr(provider, call)(*arguments)
        assert caught.value.trouble is Trouble.OUTAGE, call


@pytest.mark.parametrize("body", [{}, {"vehicles": None}, {"vehicles": {}}, {"response": "none"}, b""])
@pytest.mark.parametrize("make", [tesla, smartcar, generic])
def test_an_account_is_not_empty_because_an_answer_has_no_list(make: Any, body: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        make(Wire((200, body))).cars("A1")
    assert caught.value.trouble is Trouble.OUTAGE


@pytest.mark.parametrize("vin", ["\ufb03" * 100, "\xdf" * 100, "V" * 5000])
def test_a_car_fits_its_columns(vin: str) -> None:
    car = generic(Wire((200, {"vehicles": [{"id": "i" * 500, "vin": vin, "name": "n" * 500}]}))).cars("A1")[0]
    assert [len(text) for text in car] == [100, 100, 100]
    named = {"make": "m" * 500, "model": "n" * 500, "vin": "V"}
    car = smartcar(Wire((200, {"vehicles": ["a-1"]}), (200, named), (200, named))).cars("A1")[0]
    assert len(car.name) == 100


def json_values() -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.sampled_from(["\0", "\ud800", "online"]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(max_size=5) | st.sampled_from(KEYS), inner, max_size=5)
        ),
        max_leaves=15,
    )


KEYS = [
    "vehicles",
    "response",
    "id",
    "vin",
    "error",
    "errors",
    "charge_state",
    "timestamp",
    "percentRemaining",
    "state",
]


@settings(max_examples=300, deadline=None)
@given(
    make=st.sampled_from([tesla, smartcar, generic]),
    call=st.sampled_from(["cars", "read"]),
    status=st.sampled_from([200, 204, 301, 400, 401, 403, 404, 408, 421, 429, 500, 503]),
    bodies=st.lists(
        json_values().map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40), min_size=4, max_size=4
    ),
    age=st.text(st.characters(max_codepoint=126, min_codepoint=32), max_size=30) | st.datetimes().map(str),
)
def test_any_answer_is_a_value_or_a_trouble(make: Any, call: str, status: int, bodies: list[bytes], age: str) -> None:
    """Vehicles, readings, and the region of an account: whatever the answers contain, no other error is raised."""
    wire = Wire(*((status, body, {"SC-Data-Age": age}) for body in [*bodies, *[b"{}"] * 110]))
    try:
        getattr(make(wire), call)("A1", *([] if call == "cars" else ["car-1", NOW_MS]))
    except ProviderError as error:
        assert error.trouble in Trouble


def test_a_hostile_car_id_stays_inside_its_path() -> None:
    wire = Wire((200, {}))
    generic(wire).read("A1", "../token?x=", NOW_MS)
    assert wire.asked[0].url.raw_path == b"/vehicles/..%2Ftoken%3Fx%3D"
