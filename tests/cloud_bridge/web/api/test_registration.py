"""Can a station register its units, repeating requests without duplicates, and can its token do nothing else?"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.testclient import TestClient

from cloud_bridge.ingest.canary import BrokerAddress
from cloud_bridge.store.access import Scope
from cloud_bridge.store.claims import unclaimed_unit
from cloud_bridge.store.secrets import hash_of
from cloud_bridge.store.tokens import add_token
from cloud_bridge.store.units import unit_ids
from cloud_bridge.web.security.rates import REGISTRATIONS
from tests.cloud_bridge.running import Bridge, Unit

SECRET = "5a" * 32
CODE = "7K4M-2QXP-9BCD"
MADE = {"secret_sha256": hashlib.sha256(SECRET.encode()).hexdigest(), "claim_code": CODE}
ALREADY = "the unit CK-0042 exists already, with another secret or claim code"


@pytest.fixture
def station(bridge: Bridge) -> TestClient:
    """A client with a token that can only register."""
    with bridge.app_state.database.writing() as connection:
        token = add_token(connection, bridge.clock.now_ms(), [Scope.REGISTER], "station 1")
    client = bridge.stranger()
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def with_settings(bridge: Bridge, **changed: Any) -> None:
    app = bridge.client.app
    assert isinstance(app, FastAPI)
    app.state.bridge = replace(bridge.app_state, settings=replace(bridge.app_state.settings, **changed))


def put(station: TestClient, unit_id: str = "CK-0042", **other: Any) -> tuple[int, Any]:
    answer = station.put(f"/api/charge-points/{unit_id}", json=MADE | other)
    return answer.status_code, answer.json()


def test_a_unit_that_was_registered_by_hashes_logs_in_and_is_claimed_by_its_label(
    bridge: Bridge, station: TestClient
) -> None:
    with_settings(bridge, public_url="https://example.org/chargers")
    assert put(station) == (201, {"id": "CK-0042", "claim_page": "https://example.org/chargers/claim"})
    Unit(bridge, "CK-0042", SECRET).connect()
    with bridge.app_state.database.reading() as connection:
        assert unclaimed_unit(connection, hash_of(CODE)) == "CK-0042"


def test_the_same_request_again_changes_nothing(bridge: Bridge, station: TestClient) -> None:
    statuses = [put(station)[0] for _ in range(3)]
    assert statuses == [201, 200, 200]
    with bridge.app_state.database.reading() as connection:
        assert unit_ids(connection) == ["CK-0042"]


def test_of_the_same_request_many_times_at_once_one_registers(bridge: Bridge, station: TestClient) -> None:
    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(lambda _: put(station)[0], range(8)))
    assert statuses == [200] * 7 + [201]


@pytest.mark.parametrize(
    ("unit_id", "other", "reason"),
    [
        ("CK-0042", {"secret_sha256": "0f" * 32}, ALREADY),
        ("CK-0042", {"claim_code": "7K4M-2QXP-9BCE"}, ALREADY),
        ("CK-0043", {}, "another unit has this claim code"),
    ],
)
def test_what_is_taken_stays_as_it_is(
    bridge: Bridge, station: TestClient, unit_id: str, other: dict[str, str], reason: str
) -> None:
    put(station)
    assert put(station, unit_id, **other) == (409, {"detail": reason})
    Unit(bridge, "CK-0042", SECRET).connect()
    assert put(station)[0] == 200


@pytest.mark.parametrize(
    ("unit_id", "other"),
    [
        ("_bridge", {}),
        ("CK-" + "0" * 40, {}),
        ("CK-0042", {"secret_sha256": SECRET.upper()}),
        ("CK-0042", {"secret_sha256": "5a" * 31}),
        ("CK-0042", {"claim_code": "7K4M2QXP9BCD"}),
        ("CK-0042", {"claim_code": "7K4M-2QXP-9BC0"}),
    ],
)
def test_what_no_unit_can_have_is_refused(
    bridge: Bridge, station: TestClient, unit_id: str, other: dict[str, str]
) -> None:
    assert put(station, unit_id, **other)[0] == 422
    with bridge.app_state.database.reading() as connection:
        assert unit_ids(connection) == []


def test_its_token_may_do_nothing_else(bridge: Bridge, station: TestClient) -> None:
    """Every route of the API, with every method that it has."""
    put(station)
    asked = 0
    for route in iter_route_contexts(station.app.routes):  # type: ignore[attr-defined]
        if isinstance(route.original_route, APIRoute) and str(route.path).startswith(("/api", "/metrics", "/openapi")):
            path = str(route.path).replace("{unit_id}", "CK-0042").replace("{number}", "1")
            for method in set(route.original_route.methods or ()) - {"PUT"}:
                if "webhooks" not in path:
                    asked += 1
                    assert station.request(method, path, json=MADE).status_code == 403, (method, path)
    assert asked > 20
    assert station.get("/healthz").status_code == 403


@pytest.mark.parametrize("scopes", [[Scope.READ], [Scope.READ, Scope.COMMAND, Scope.SUPPORT, Scope.ALERTS], []])
def test_no_other_scope_registers(bridge: Bridge, scopes: list[Scope]) -> None:
    with bridge.app_state.database.writing() as connection:
        token = add_token(connection, bridge.clock.now_ms(), scopes)
    client = bridge.stranger()
    client.headers["Authorization"] = f"Bearer {token}"
    assert put(client) == (403, {"detail": "this needs the scope register"})
    assert put(bridge.stranger())[0] == 401


def test_a_stolen_token_fills_nothing(station: TestClient) -> None:
    allowed = REGISTRATIONS[0].allowed
    statuses = [put(station)[0] for _ in range(allowed + 1)]
    assert statuses[allowed - 1 :] == [200, 429]


def test_an_outside_broker_needs_the_secret_itself(bridge: Bridge, station: TestClient) -> None:
    with_settings(bridge, broker=BrokerAddress("127.0.0.1", 1, "long enough a secret"))
    status, said = put(station)
    assert status == 409 and "unit add --secret -" in said["detail"]
