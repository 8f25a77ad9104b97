"""Whatever is asked of the HTTP interface within its own description or outside: does it ever answer 5xx?"""

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import APIOperation, Case
from schemathesis.core.result import Ok

from cloud_bridge.store.people import Role, find_person
from cloud_bridge.store.tokens import add_token
from tests.cloud_bridge.openapi import AGREED
from tests.cloud_bridge.running import Bridge, Unit, running_bridge, sample
from tests.cloud_bridge.test_pages import PASSWORD, log_in

EXAMPLES = 15  # of each route; `make fuzz` is for more


def test_no_question_makes_it_fail(tmp_path: Path) -> None:
    with running_bridge(tmp_path) as bridge:
        unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
        unit.publish("cp/cp-1/heartbeat", sample("heartbeat-charging"))
        bridge.add_person("olga", "correct horse", Role.OPERATOR)
        with bridge.app_state.database.writing() as connection:
            person = find_person(connection, "olga")
            token = add_token(connection, 0, person.scopes, person_id=person.id)
        app = bridge.client.app
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        for result in schema.get_all_operations():
            assert isinstance(result, Ok), result
            _ask(result.ok(), {"Authorization": f"Bearer {token}"})


def _ask(operation: APIOperation[Any, Any, Any, Any], headers: dict[str, str]) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def ask(case: Case[Any]) -> None:
        response = case.call(headers=headers)
        assert response.status_code < 500, f"{case.method} {case.formatted_path}: {response.text}"

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
    """Clients are generated from it. A change that is meant: `python -m tests.cloud_bridge.openapi`, and look at the diff."""
    assert bridge.client.get("/openapi.json").json() == json.loads(AGREED.read_text())


@pytest.mark.parametrize("path", ["/api/alerts", "/api/alerts/1"])
def test_a_session_alone_changes_nothing(bridge: Bridge, path: str) -> None:
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    client = bridge.stranger()
    log_in(client)
    assert client.get("/api/alerts").json() == []
    method = client.post if path == "/api/alerts" else client.delete
    assert method(path).status_code in (403, 422)
