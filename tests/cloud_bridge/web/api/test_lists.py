"""Does the API list jobs, vehicles and conversations for those who see them on pages, and for nobody else?"""

from typing import Any

import pytest
from starlette.testclient import TestClient

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.access import Role, Scope
from cloud_bridge.store.claims import release
from cloud_bridge.store.people import find_person
from cloud_bridge.store.tables import jobs as jobs_table
from cloud_bridge.store.tokens import add_token
from cloud_bridge.web.api import paging
from tests.cloud_bridge.people import PASSWORD, Visitor, entrust, give
from tests.cloud_bridge.running import Bridge

JOBS, THREADS, VEHICLES = "/api/jobs", "/api/support/threads", "/api/vehicles"
WORDS = "It does not come back."
PEOPLE = {
    "dora": Role.DRIVER,
    "eve": Role.DRIVER,
    "ingo": Role.INSTALLER,
    "ivan": Role.INSTALLER,
    "sue": Role.SUPPORT,
    "olga": Role.OPERATOR,
}


@pytest.fixture
def house(bridge: Bridge) -> Bridge:
    """Dora's home, with a conversation and a job of ingo's; all other people exist too."""
    for name, role in PEOPLE.items():
        bridge.add_person(name, PASSWORD, role)
    new = bridge.add_unit("home-1")
    give(bridge, new.claim_code, "dora")
    entrust(bridge, "home-1", "ingo")
    Visitor(bridge, "dora").post("/charge-points/home-1/support", text=WORDS)
    Visitor(bridge, "sue").post("/charge-points/home-1/jobs", reason="A weak signal.")
    return bridge


def program(bridge: Bridge, name: str | None, *scopes: Scope) -> TestClient:
    with bridge.app_state.database.writing() as connection:
        person_id = None if name is None else find_person(connection, name).id
        token = add_token(connection, 0, {Scope.READ, *scopes}, person_id=person_id)
    client = bridge.stranger()
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def told(client: TestClient, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("name", ["ingo", "sue", "olga", None])
def test_a_job_is_told_to_its_installer_and_to_support(house: Bridge, name: str | None) -> None:
    (job,) = told(program(house, name, Scope.SUPPORT), JOBS)["jobs"]
    assert job == {
        "number": 1,
        "charge_point": "home-1",
        "installer": "ingo",
        "state": "raised",
        "visit_from": None,
        "visit_until": None,
        "raised_at": "2026-01-01T00:00:00.000Z",
        "reason": "A weak signal.",
        "visited_at": None,
        "has_report": False,
        "closed_at": None,
        "outcome": None,
    }


def test_another_installer_sees_no_job_and_a_driver_may_not_ask(house: Bridge) -> None:
    assert told(program(house, "ivan"), JOBS) == {"jobs": [], "unreadable": 0}
    for name in ("dora", "sue", None):  # support with a token that can only read
        assert program(house, name).get(JOBS).status_code == 403


def test_a_closed_job_keeps_what_was_done_and_not_why(house: Bridge) -> None:
    ingo = Visitor(house, "ingo")
    ingo.post("/jobs/1/close", "/jobs/1", outcome="A new antenna.")
    (job,) = told(program(house, "ingo"), JOBS)["jobs"]
    assert (job["reason"], job["outcome"], job["closed_at"]) == (None, "A new antenna.", "2026-01-01T00:00:00.000Z")
    assert "A weak signal." not in ingo.get("/jobs/1"), "as the page does"


def test_a_house_that_is_sold_takes_the_reason_with_it(house: Bridge) -> None:
    with house.app_state.database.writing() as connection:
        release(connection, "home-1", now_ms=house.clock.now_ms())
    (job,) = told(program(house, "ingo"), JOBS)["jobs"]
    assert job["reason"] is None


def test_a_row_that_is_not_valid_is_counted(house: Bridge) -> None:
    if house.app_state.database.file is None:
        pytest.skip("PostgreSQL takes no text in a column of numbers")
    with house.app_state.database.writing() as connection:
        connection.execute(jobs_table.update().values(visited_ms=-5))
    assert told(program(house, "ingo"), JOBS) == {"jobs": [], "unreadable": 1}


@pytest.mark.parametrize("name", ["dora", "sue", "olga"])
def test_a_conversation_is_told_to_whose_it_is_and_to_support(house: Bridge, name: str) -> None:
    client = program(house, name, Scope.SUPPORT)
    (thread,) = told(client, THREADS)["threads"]
    assert (thread["person"], thread["charge_point"], thread["waits_for_support"]) == ("dora", "home-1", True)
    (message,) = told(client, f"{THREADS}/{thread['number']}")["messages"]
    assert (message["from"], message["text"], message["sent_at"]) == ("person", WORDS, "2026-01-01T00:00:00.000Z")


def test_an_answer_is_of_support_whoever_wrote_it(house: Bridge) -> None:
    Visitor(house, "sue").post("/support/1", text="Switch it off and on.")
    answer = program(house, "dora").get(f"{THREADS}/1")
    assert [one["from"] for one in answer.json()["messages"]] == ["person", "support"]
    assert "sue" not in answer.text
    assert not told(program(house, "dora"), THREADS)["threads"][0]["waits_for_support"]


@pytest.mark.parametrize("name", ["eve", "ingo", "sue", "olga", None])
def test_nobody_else_is_told_of_a_conversation(house: Bridge, name: str | None) -> None:
    """Nor to support, with a token that can only read."""
    client = program(house, name)
    assert told(client, THREADS) == {"threads": [], "unreadable": 0}
    assert client.get(f"{THREADS}/1").status_code == 404


def test_who_buys_the_house_reads_nothing_of_before(house: Bridge) -> None:
    with house.app_state.database.writing() as connection:
        release(connection, "home-1", now_ms=house.clock.now_ms())
        connection.execute(jobs_table.update().values(closed_ms=house.clock.now_ms()))
    house.clock.advance(MINUTE_MS)
    new = house.add_unit("home-2")
    give(house, new.claim_code, "eve")
    assert told(program(house, "eve"), THREADS)["threads"] == []
    assert len(told(program(house, "dora"), THREADS)["threads"]) == 1, "it is hers, whosever the charge point is"


@pytest.mark.parametrize("path", [JOBS, THREADS, f"{THREADS}/1"])
def test_a_long_list_comes_in_parts_that_lead_on(house: Bridge, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(paging, "PAGE", 2)
    dora, sue = Visitor(house, "dora"), Visitor(house, "sue")
    for number in range(2, 6):
        new = house.add_unit(f"home-{number}")
        give(house, new.claim_code, "dora")
        entrust(house, f"home-{number}", "ingo")
        dora.post(f"/charge-points/home-{number}/support", text="x")
        sue.post(f"/charge-points/home-{number}/jobs", reason="x")
        dora.post("/charge-points/home-1/support", text="x")
    client, found, url = program(house, "sue", Scope.SUPPORT), [], path
    while url:
        answer = client.get(url)
        rows = next(value for value in answer.json().values() if isinstance(value, list))
        found.append(len(rows))
        url = answer.links.get("next", {}).get("url", "")
    assert found == [2, 2, 1]


def test_vehicles_are_nobody_s_who_is_nobody(house: Bridge) -> None:
    assert told(program(house, None), VEHICLES) == []
    assert told(program(house, "dora"), VEHICLES) == []
