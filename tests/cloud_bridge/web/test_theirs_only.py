"""Does a person of any role only see what is theirs, on every route?"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from cloud_bridge.store.access import Role
from tests.cloud_bridge.people import PASSWORD, Visitor, entrust, give
from tests.cloud_bridge.running import Bridge, Unit, sample

THEIRS = "secret-house"  # the unit's id, and a word in every text about it
OURS = "eve-house"
VALUES = {"unit_id": THEIRS, "conversation_id": "1", "job_id": "1"}
EVERYBODY = {
    "/login",
    "/status",
    "/offline",
    "/offline/1",
    "/glossary",
    "/healthz",
    "/livez",
    "/manifest.webmanifest",
    "/worker.js",
}


@pytest.fixture
def bridge_with_two_houses(bridge: Bridge) -> Bridge:
    """Dora's home has a conversation and a job with ingo; eve and ivan have another home."""
    for name, role in (("dora", Role.DRIVER), ("eve", Role.DRIVER), ("ingo", Role.INSTALLER), ("ivan", Role.INSTALLER)):
        bridge.add_person(name, PASSWORD, role)
    bridge.add_person("sue", PASSWORD, Role.SUPPORT)
    for unit_id, owner, installer in ((THEIRS, "dora", "ingo"), (OURS, "eve", "ivan")):
        new = bridge.add_unit(unit_id)
        give(bridge, new.claim_code, owner)
        entrust(bridge, unit_id, installer)
        unit = Unit(bridge, unit_id, new.secret).connect()
        unit.publish(f"cp/{unit_id}/heartbeat", sample("heartbeat-charging"))
    about = f"/charge-points/{THEIRS}"
    dora = Visitor(bridge, "dora")
    assert dora.post(f"{about}/support", text=f"AlertKind {THEIRS}.").status_code == 200
    hook = {"about": "silent", "via": "webhook", "target": f"https://example.org/{THEIRS}"}
    assert dora.post("/account/notifications", **hook).status_code == 200
    assert Visitor(bridge, "sue").post(f"{about}/jobs", reason=f"AlertKind {THEIRS}.").status_code == 200
    return bridge


def routes(client: TestClient) -> Iterator[tuple[str, str]]:
    """Yield (method, path with dora's ids in it) of every route of the application, including included routers."""
    app: Any = client.app
    for route in flat(app.routes):
        for method in sorted(route.methods or ()):
            path = re.sub(r"{(\w+)(?::\w+)?}", lambda found: VALUES.get(found[1], "1"), route.path)
            yield method, path


def flat(found: list[BaseRoute]) -> Iterator[APIRoute]:
    for route in found:
        if isinstance(route, APIRoute):
            yield route
        elif (router := getattr(route, "original_router", None)) is not None:  # an included router
            yield from flat(router.routes)


@pytest.mark.parametrize("name", ["eve", "ivan", ""])
def test_nothing_of_another_house_is_told_or_changed(bridge_with_two_houses: Bridge, name: str) -> None:
    bridge = bridge_with_two_houses
    client = Visitor(bridge, name).client if name else bridge.stranger()
    form = ""
    if name:
        found = re.search(r'name="form" value="([0-9a-f]{64})"', client.get("/account").text)
        assert found
        form = found[1]
    before = bridge.read(THEIRS)
    tried = 0
    for method, path in routes(client):
        if path in EVERYBODY or path == "/logout" or path.endswith("/live"):
            continue
        tried += 1
        data = {"form": form, "once": f"{tried:032x}", "text": "x", "reason": "x", "outcome": "x", "hours": "1"}
        data |= {"amps": "16", "choice": "off", "time_zone": "Europe/London", "code": "x", "old": "x", "new": "x" * 12}
        answer = client.request(method, path, data=None if method == "GET" else data)
        shown = answer.text.replace(path, "")
        assert THEIRS not in shown, f"{method} {path} told {name or 'a stranger'} of it"
        if THEIRS in path:
            assert answer.status_code in (401, 403, 404, 405, 422) or "/login" in str(answer.url), f"{method} {path}"
    assert tried > 30
    assert bridge.read(THEIRS) == before
    assert THEIRS in Visitor(bridge, "dora").get("/account/notifications"), "and nobody stopped it"


def test_their_own_is_there(bridge_with_two_houses: Bridge) -> None:
    dora, ingo = Visitor(bridge_with_two_houses, "dora"), Visitor(bridge_with_two_houses, "ingo")
    for visitor, path in ((dora, "/"), (dora, "/support/1"), (ingo, "/jobs/1"), (ingo, f"/charge-points/{THEIRS}")):
        assert THEIRS in visitor.get(path)


def test_an_expired_session_leads_to_the_login_and_back(bridge_with_two_houses: Bridge) -> None:
    dora = Visitor(bridge_with_two_houses, "dora")
    bridge_with_two_houses.clock.advance(31 * 24 * 3600 * 1000)
    answer = dora.client.get(f"/charge-points/{THEIRS}/history")
    assert answer.url.path == "/login"
    assert answer.url.params["next"] == f"/charge-points/{THEIRS}/history"


def test_a_wrong_claim_code_has_its_page_and_guessing_ends(bridge_with_two_houses: Bridge) -> None:
    eve = Visitor(bridge_with_two_houses, "eve")
    for _ in range(10):
        answer = eve.post("/account/units", code="7K4M-2QXP-9BCD")
        assert answer.status_code == 422
        assert "No charger has this code" in answer.text
    answer = eve.post("/account/units", code="7K4M-2QXP-9BCD")
    assert answer.status_code == 429
    assert "Too many codes" in answer.text


def test_a_new_password_logs_the_others_out_and_this_browser_stays(bridge_with_two_houses: Bridge) -> None:
    here, there = Visitor(bridge_with_two_houses, "dora"), Visitor(bridge_with_two_houses, "dora")
    assert "Nothing was changed" in here.post("/account/password", old="guess", new="four words are fine").text
    assert here.post("/account/password", old=PASSWORD, new="four words are fine").url.path == "/account"
    assert here.client.get("/account").status_code == 200
    assert there.client.get("/account").url.path == "/login"


def test_a_house_that_is_given_up_can_be_claimed_again(bridge_with_two_houses: Bridge) -> None:
    dora = Visitor(bridge_with_two_houses, "dora")
    dora.post(f"/account/units/{THEIRS}/release", f"/account/units/{THEIRS}")
    assert dora.client.get(f"/charge-points/{THEIRS}").status_code == 404
    assert "Add your charger" in dora.get("/")
