"""Can an API token only do what it was granted, for as long as it was granted, and are guesses slowed down?"""

import pytest

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.errors import SettingError
from cloud_bridge.settings import read_settings
from cloud_bridge.store.access import Role, Scope
from cloud_bridge.store.people import find_person
from cloud_bridge.store.tokens import add_token, list_tokens
from tests.cloud_bridge.people import PASSWORD
from tests.cloud_bridge.running import TOKEN, Bridge

WISH = {"about": "silent", "via": "webhook", "target": "https://example.org/x"}


def token_of(bridge: Bridge, *scopes: Scope, expires_ms: int | None = None) -> dict[str, str]:
    """Return the header with a new token of ann's."""
    with bridge.app_state.database.writing() as connection:
        person = find_person(connection, "ann")
        token = add_token(connection, bridge.clock.now_ms(), scopes, "", person.id, expires_ms)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def ann(bridge: Bridge) -> Bridge:
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    return bridge


def test_a_token_that_reads_writes_nothing(ann: Bridge) -> None:
    """Every route of the API except GET."""
    reader, client = token_of(ann, Scope.READ), ann.stranger()
    paths = client.get("/openapi.json", headers=reader).json()["paths"]
    writing = [(path, method) for path, methods in paths.items() for method in methods if method not in ("get", "head")]
    writing = [(path, method) for path, method in writing if not path.startswith("/api/webhooks")]
    assert len(writing) >= 2
    for path, method in writing:
        address = path.replace("{number}", "1").replace("{unit_id}", "home-1")
        assert client.request(method, address, json=WISH, headers=reader).status_code in (403, 404), (method, path)
    assert client.post("/api/alerts", json=WISH, headers=token_of(ann, Scope.READ, Scope.ALERTS)).status_code == 201


def test_a_token_ends_by_verified_time(ann: Bridge) -> None:
    token, client = token_of(ann, Scope.READ, expires_ms=ann.clock.now_ms() + DAY_MS), ann.stranger()
    assert client.get("/api/charge-points", headers=token).status_code == 200
    ann.clock.advance(DAY_MS)
    assert client.get("/api/charge-points", headers=token).status_code == 401


def test_its_last_use_is_kept_to_the_hour(ann: Bridge) -> None:
    token, client, log = token_of(ann, Scope.READ), ann.stranger(), ann.app_state.security_log

    def used_ms() -> int | None:
        log.write()
        with ann.app_state.database.reading() as connection:
            found: int | None = list_tokens(connection)[0]["used_ms"]
        return found

    assert used_ms() is None
    client.get("/api/charge-points", headers=token)
    first_ms = used_ms()
    assert first_ms is not None
    ann.clock.advance(HOUR_MS // 2)
    client.get("/api/charge-points", headers=token)
    assert used_ms() == first_ms
    ann.clock.advance(HOUR_MS)
    client.get("/api/charge-points", headers=token)
    assert used_ms() == first_ms + HOUR_MS * 3 // 2


def test_wrong_tokens_are_braked_and_the_operators_own_is_not(ann: Bridge) -> None:
    client, right = ann.stranger(), token_of(ann, Scope.READ)
    answers = [
        client.get("/api/charge-points", headers={"Authorization": f"Bearer guess-{number}"}) for number in range(45)
    ]
    assert [answer.status_code for answer in answers] == [401] * 40 + [429] * 5
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert client.get("/api/charge-points", headers=right).status_code == 429
    assert client.get("/api/charge-points", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    ann.clock.advance(60_000)
    assert client.get("/api/charge-points", headers=right).status_code == 200


@pytest.mark.parametrize("token", ["x", "a" * 31])
def test_a_short_token_of_the_environment_is_refused(token: str) -> None:
    with pytest.raises(SettingError, match=r"CHARGEKEEPER_API_TOKEN has \d+ characters, and needs at least 32"):
        read_settings({"CHARGEKEEPER_API_TOKEN": token})


def test_a_long_one_is_taken() -> None:
    assert read_settings({"CHARGEKEEPER_API_TOKEN": "a" * 32}).api_token == "a" * 32
