"""Does a request hold one database connection, for no longer than needed?"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio.to_thread
import httpx2
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import Connection, event, text
from starlette.testclient import TestClient

from cloud_bridge import commands
from cloud_bridge.passwords import Passwords
from cloud_bridge.store import contact_details
from cloud_bridge.store.people import Role
from cloud_bridge.web import connections, page
from cloud_bridge.web.api import history as history_api
from cloud_bridge.web.connections import ConnectionTurns
from cloud_bridge.web.pages.everyone import email
from cloud_bridge.web.security import access
from tests.cloud_bridge.running import TOKEN, Bridge, Unit, sample
from tests.cloud_bridge.web.test_pages import PASSWORD, form_token_in, log_in

CHECKS = {access.api_asker, access.who_asks, access.person_of, page.logged_in, page.unit_of, history_api.unit_of}
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
CROWD = 120  # concurrent requests: more than threads and connections together


def held(bridge: Bridge) -> int:
    """Return the number of connections that pages use now."""
    return int(bridge.app_state.database._engine.pool.checkedout())  # type: ignore[attr-defined]


@contextmanager
def begun(bridge: Bridge) -> Iterator[list[int]]:
    """Collect how many connections were in use at the beginning of each transaction."""
    found: list[int] = []

    def note(_connection: Connection) -> None:
        found.append(held(bridge))

    engine = bridge.app_state.database._engine
    event.listen(engine, "begin", note)
    try:
        yield found
    finally:
        event.remove(engine, "begin", note)


@pytest.fixture
def ann(bridge: Bridge) -> TestClient:
    bridge.add_person("ann", PASSWORD, Role.OPERATOR)
    unit = Unit(bridge, "home-1", bridge.add_unit("home-1").secret).connect()
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-charging"))
    client = bridge.stranger()
    assert log_in(client) == 303
    return client


def post(client: TestClient, form_page: str, path: str, **fields: str) -> int:
    form = form_token_in(client.get(form_page).text)
    return client.post(path, data={"form": form, **fields}, follow_redirects=False).status_code


def routes(bridge: Bridge) -> Iterator[tuple[str, list[Callable[..., Any]]]]:
    """Yield every route, with the dependencies of its path function in the order of calls."""
    app = bridge.client.app
    assert isinstance(app, FastAPI)
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            yield f"{sorted(route.methods or ())} {context.path}", list(dict.fromkeys(_calls(route.dependant)))


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for dependency in dependant.dependencies:
        yield from _calls(dependency)
        assert dependency.call is not None
        yield dependency.call


def test_every_route_takes_its_connection_at_the_right_moment(bridge: Bridge) -> None:
    """`Reading` before the checks of the path function's own signature, `Writing` after all checks."""
    takers = 0
    for name, calls in routes(bridge):
        takes = {connections.reading, connections.writing} & set(calls)
        takers += len(takes)
        assert len(takes) < 2, f"{name} takes two connections"
        if access.passwords_of in calls:
            assert not takes, f"{name} holds a connection while a password is hashed"
        if connections.writing in calls:
            after = calls[calls.index(connections.writing) :]
            assert not CHECKS & set(after), f"{name} checks who asks in its writing transaction"
        if connections.reading in calls:
            before = calls[: calls.index(connections.reading)]
            assert page.unit_of not in before, f"{name} looks for the charge point in a transaction of its own"
            assert history_api.unit_of not in before, f"{name} looks for the charge point in a transaction of its own"
    assert takers > 30, "routes with a connection are seen"


@pytest.mark.parametrize(
    "path",
    [
        "/charge-points/home-1/history",
        "/charge-points/home-1/history/signal.csv",
        "/charge-points/home-1/charging",
        "/account/details",
        "/account/notifications",
        "/support",
        "/api/charge-points",
        "/api/charge-points/home-1",
        "/api/charge-points/home-1/contacts",
        "/api/charge-points/home-1/in-force",
        "/api/jobs",
        "/api/vehicles",
        "/api/support/threads",
    ],
)
def test_checks_and_page_share_one_connection(bridge: Bridge, ann: TestClient, path: str) -> None:
    with begun(bridge) as found:
        assert ann.get(path).status_code == 200
    single = "charging" not in path  # its scope is checked for the whole router, before the path function's signature
    assert found == ([1] if single else [1, 1])


def test_no_read_transaction_is_open_across_a_write(bridge: Bridge, ann: TestClient) -> None:
    with begun(bridge) as found:
        assert post(ann, "/account/details", "/account/details", full_name="Ann") == 303
    assert set(found) == {1}


@pytest.mark.parametrize("path", ["/charge-points/home-1/history", "/api/charge-points/home-1/signal"])
def test_a_slow_client_holds_no_connection(bridge: Bridge, ann: TestClient, path: str) -> None:
    at_send: list[tuple[str, int]] = []
    cookies = "; ".join(f"{name}={value}" for name, value in ann.cookies.items())
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"cookie", cookies.encode()), (b"host", b"testserver")],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        at_send.append((message["type"], held(bridge)))

    asyncio.run(bridge.client.app(scope, receive, send))  # type: ignore[arg-type]  # httpx types it for sync apps too
    assert at_send[0] == ("http.response.start", 0)
    assert {count for _, count in at_send} == {0}


def test_a_failed_commit_is_an_error_answer(bridge: Bridge, ann: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real failure: a foreign key that is checked at the commit."""
    change = contact_details.set_details

    def with_dangling_row(connection: Connection, person_id: int, details: contact_details.Details) -> None:
        change(connection, person_id, details)
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        else:
            of_contacts = "SELECT conname FROM pg_constraint WHERE conrelid = 'contacts'::regclass AND contype = 'f'"
            name = connection.execute(text(of_contacts)).scalar_one()
            connection.execute(text(f"ALTER TABLE contacts ALTER CONSTRAINT {name} DEFERRABLE"))
            connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        connection.execute(text("INSERT INTO contacts (unit_id, messages, bad_payloads) VALUES ('no such unit', 0, 0)"))

    client = TestClient(bridge.client.app, raise_server_exceptions=False, cookies=ann.cookies)
    monkeypatch.setattr(contact_details, "set_details", with_dangling_row)
    assert post(client, "/account/details", "/account/details", full_name="Never Stored") == 500
    monkeypatch.undo()
    assert "Never Stored" not in ann.get("/account/details").text
    assert post(ann, "/account/details", "/account/details", full_name="Stored Again") == 303
    assert held(bridge) == 0


def test_an_answer_comes_after_the_commit(bridge: Bridge, ann: TestClient) -> None:
    order: list[str] = []
    form = form_token_in(ann.get("/account/details").text)
    body = f"form={form}&full_name=Ann".encode()
    cookies = "; ".join(f"{name}={value}" for name, value in ann.cookies.items())
    headers = {"cookie": cookies, "content-type": "application/x-www-form-urlencoded", "content-length": len(body)}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/account/details",
        "query_string": b"",
        "headers": [(name.encode(), str(value).encode()) for name, value in headers.items()],
    }

    def commit(_connection: Connection) -> None:
        order.append("commit")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        order.append(f"{message['type']} {message.get('status', '')}")

    engine = bridge.app_state.database._writer
    event.listen(engine, "commit", commit)
    try:
        asyncio.run(bridge.client.app(scope, receive, send))  # type: ignore[arg-type]
    finally:
        event.remove(engine, "commit", commit)
    assert order[:2] == ["commit", "http.response.start 303"]


def test_no_connection_is_held_while_a_password_is_hashed(
    bridge: Bridge, ann: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashing: list[int] = []
    run = Passwords._run

    def noted(passwords: Passwords, work: Callable[[], Any]) -> Any:
        hashing.append(held(bridge))
        return run(passwords, work)

    monkeypatch.setattr(Passwords, "_run", noted)
    new = "purple kettle sings at dawn"
    assert log_in(bridge.stranger()) == 303
    assert post(ann, "/account/password", "/account/password", old=PASSWORD, new=new) == 303
    assert post(ann, "/account/data", "/account/data/erase", password=new) == 303
    assert len(hashing) == 4
    assert set(hashing) == {0}


def test_no_connection_is_held_while_others_are_called(
    bridge: Bridge, ann: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(email, "send_mail", lambda *_: calls.append(held(bridge)))
    give = commands.give

    def noted(*arguments: Any) -> str:
        calls.append(held(bridge))
        return give(*arguments)

    monkeypatch.setattr(commands, "give", noted)
    assert post(ann, "/account/details", "/account/email", address="ann@example.org", password=PASSWORD) == 303
    assert post(ann, "/account/details", "/charge-points/home-1/charging/resume") == 303
    answer = bridge.client.post("/api/charge-points/home-1/commands", json={"do": "clear"}, headers=AUTHORIZED)
    assert answer.status_code == 202
    assert calls == [0, 0, 0]


def test_a_crowd_does_not_wait_for_itself(bridge: Bridge, ann: TestClient) -> None:
    """More concurrent requests than threads and connections. None is answered with 503."""
    statuses = asyncio.run(_crowd(bridge))
    assert statuses == [200] * CROWD
    assert held(bridge) == 0


async def _crowd(bridge: Bridge) -> list[int]:
    app: Any = bridge.client.app
    app.state.connection_turns = ConnectionTurns()  # for this event loop
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://testserver") as client:
        questions = [client.get("/api/charge-points/home-1/contacts", headers=AUTHORIZED) for _ in range(CROWD)]
        return [answer.status_code for answer in await asyncio.gather(*questions)]


def test_who_waits_in_vain_is_asked_to_try_again(bridge: Bridge, ann: TestClient) -> None:
    """Meanwhile it occupies no thread."""

    async def ask() -> httpx2.Response:
        app: Any = bridge.client.app
        app.state.connection_turns = turns = ConnectionTurns(at_once=1, within_s=0.05)
        async with (
            turns.turn(),
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://testserver") as client,
        ):
            answer = await client.get("/api/charge-points", headers=AUTHORIZED)
            assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
            return answer

    answer = asyncio.run(ask())
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_a_request_that_waits_for_a_thread_keeps_no_writer_waiting(bridge: Bridge, ann: TestClient) -> None:
    """The lock of SQLite's one writer is taken at the first statement, not with the connection."""
    database, wrote = bridge.app_state.database, threading.Event()

    def write() -> None:
        with database.writing() as other:
            other.execute(text("UPDATE people SET name = 'other'"))
        wrote.set()

    with database.writing_on_demand() as connection:
        thread = threading.Thread(target=write)
        thread.start()
        assert wrote.wait(10), "the other writer waits for a transaction that has done nothing"
        thread.join()
        connection.execute(text("UPDATE people SET name = 'ann'"))
    with database.reading() as connection:
        assert connection.execute(text("SELECT name FROM people")).scalar() == "ann"


def test_a_transaction_on_demand_takes_its_turn_with_its_first_statement(bridge: Bridge) -> None:
    """It returns its turn, committed or not: on SQLite the writers of this process wait for each other."""
    database = bridge.app_state.database
    with database.writing_on_demand() as waiting:
        with database.writing() as other:
            other.execute(text("UPDATE units SET name = 'other'"))
        waiting.execute(text("UPDATE units SET name = 'waiting'"))
        if database.file is not None:
            assert database._writer_queue is not None and database._writer_queue._is_taken
    with pytest.raises(RuntimeError), database.writing_on_demand() as failing:
        failing.execute(text("UPDATE units SET name = 'failing'"))
        raise RuntimeError
    with database.writing() as after:
        after.execute(text("UPDATE units SET name = 'after'"))
