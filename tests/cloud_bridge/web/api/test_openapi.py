"""Does the HTTP API answer as its description says, whoever sends which request?"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import APIOperation, Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.exc import OperationalError

from cloud_bridge.store.access import Role, Scope
from cloud_bridge.store.database import Database
from cloud_bridge.store.people import find_person
from cloud_bridge.store.tokens import add_token
from cloud_bridge.web.api.schema import Problem
from tests.cloud_bridge.openapi import AGREED
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import TOKEN, Bridge, Unit, sample
from tests.cloud_bridge.web.test_pages import PASSWORD, log_in

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 15  # of each route; `make fuzz` uses more
REFUSED_EXAMPLES = 4  # of each route, for clients whose every request is refused


@pytest.mark.parametrize("asker", ["operator", "nobody", "stranger"])
def test_every_answer_is_one_that_is_described(bridge: Bridge, asker: str) -> None:
    """Status, content type and body, for any request. The token of the environment belongs to nobody."""
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.publish("cp/cp-1/heartbeat", sample("heartbeat-charging"))
    tokens = {"operator": _operator(bridge), "nobody": TOKEN, "stranger": "guess"}
    for operation in _operations(bridge):
        _ask(operation, {"Authorization": f"Bearer {tokens[asker]}"}, examples=EXAMPLES)


@pytest.mark.parametrize("scopes", [frozenset[Scope](), frozenset({Scope.READ})])
def test_a_token_without_the_scope_gets_an_answer_that_is_described(bridge: Bridge, scopes: frozenset[Scope]) -> None:
    with bridge.app_state.database.writing() as connection:
        token = add_token(connection, 0, scopes)
    for operation in _operations(bridge):
        _ask(operation, {"Authorization": f"Bearer {token}"})


def test_without_its_database_it_answers_as_described(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    token = _operator(bridge)

    def away(_database: Database) -> None:
        raise OperationalError("SELECT", {}, OSError("no route to the database"))

    monkeypatch.setattr(Database, "reading", away)
    monkeypatch.setattr(Database, "writing_on_demand", away)
    for operation in _operations(bridge):
        _ask(operation, {"Authorization": f"Bearer {token}"}, without=not_a_server_error)
    answer = bridge.client.get("/api/charge-points")
    assert answer.status_code == 503
    assert Problem.model_validate(answer.json()).detail


@pytest.mark.parametrize("body", [b"\xff", b"{", b"[]", b'"text"', b""])
def test_a_body_that_is_none_is_answered_as_described(bridge: Bridge, body: bytes) -> None:
    answer = bridge.client.post("/api/alerts", content=body, headers={"Content-Type": "application/json"})
    described = bridge.client.get("/openapi.json").json()["paths"]["/api/alerts"]["post"]["responses"]
    assert str(answer.status_code) in described.keys() - {"201"}
    if answer.status_code == 422:
        assert all(reason["loc"] and reason["msg"] for reason in answer.json()["detail"])
    else:
        assert Problem.model_validate(answer.json()).detail


@pytest.mark.parametrize("query", ["from=2026-01-02&to=2026-01-01", "to=0001-01-01T00:00:00Z", "from=x", "to=1e30"])
def test_every_422_has_the_same_form(bridge: Bridge, query: str) -> None:
    bridge.add_unit("cp-1")
    answer = bridge.client.get(f"/api/charge-points/cp-1/events?{query}")
    assert answer.status_code == 422
    (reason,) = answer.json()["detail"]
    assert reason["loc"] in (["query", "from"], ["query", "to"])
    assert reason["msg"]


def _operator(bridge: Bridge) -> str:
    bridge.add_person("olga", "correct horse", Role.OPERATOR)
    with bridge.app_state.database.writing() as connection:
        person = find_person(connection, "olga")
        token: str = add_token(connection, 0, person.scopes, person_id=person.id)
        return token


def _operations(bridge: Bridge) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for result in schemathesis.openapi.from_asgi(
        "/openapi.json", bridge.client.app, headers=headers
    ).get_all_operations():
        assert isinstance(result, Ok), result
        yield result.ok()


def _ask(
    operation: APIOperation[Any, Any, Any, Any],
    headers: dict[str, str],
    without: Any = None,
    examples: int = REFUSED_EXAMPLES,
) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(headers=headers, checks=[check for check in CHECKS if check is not without])

    ask()


def test_the_description_has_an_answer_for_every_route(bridge: Bridge) -> None:
    described = bridge.client.get("/openapi.json").json()["paths"]
    for path in ("/healthz", "/metrics", "/api/charge-points", "/api/charge-points/{unit_id}/contacts", "/api/alerts"):
        assert path in described
    for path, methods in described.items():
        for method, operation in methods.items():
            assert operation.get("description"), f"{method} {path} says what it is for"


def test_every_answer_of_the_interface_has_a_schema(bridge: Bridge) -> None:
    for path, methods in bridge.client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if status == "204" or path == "/metrics":
                    continue
                schema = answer["content"]["application/json"]["schema"]
                assert schema.keys() & {"$ref", "items", "anyOf"}, f"{method} {path} answers {status} with anything"


def test_the_description_is_the_one_that_was_agreed(bridge: Bridge) -> None:
    """Clients are generated from it. To accept a deliberate change, run `python -m tests.cloud_bridge.openapi` and check
    the diff."""
    assert bridge.client.get("/openapi.json").json() == json.loads(AGREED.read_text())


def test_a_stranger_does_not_get_the_description(bridge: Bridge) -> None:
    answer = bridge.stranger().get("/openapi.json")
    assert (answer.status_code, list(answer.json())) == (401, ["detail"])
    assert Visitor(bridge, "dora", Role.DRIVER).client.get("/openapi.json").status_code == 200


@pytest.mark.parametrize("path", ["/api/alerts", "/api/alerts/1"])
def test_a_session_alone_changes_nothing(bridge: Bridge, path: str) -> None:
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    client = bridge.stranger()
    log_in(client)
    assert client.get("/api/alerts").json() == []
    method = client.post if path == "/api/alerts" else client.delete
    assert method(path).status_code in (403, 422)
