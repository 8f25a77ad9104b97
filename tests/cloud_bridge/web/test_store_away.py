"""With the database in trouble, does every page and API answer say "try again", or give the answer?"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.exc import (
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    TimeoutError,
)
from starlette.testclient import TestClient

from cloud_bridge.store.access import Role
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import TOKEN, Bridge

PLACES = {"unit_id": "home-1", "number": "1", "code": "0" * 32, "name": "style.css", "version": "0"}
TROUBLE = {
    "it is locked": OperationalError("SELECT", {}, sqlite3.OperationalError("database is locked")),
    "it is malformed": DatabaseError("SELECT", {}, sqlite3.DatabaseError("database disk image is malformed")),
    "its server is gone": InterfaceError("SELECT", {}, Exception("connection already closed")),
    "it is a standby": InternalError("UPDATE", {}, Exception("cannot execute UPDATE in a read-only transaction")),
    "its tables are of a newer version": ProgrammingError("SELECT", {}, Exception('column "due_ms" does not exist')),
    "no connection is left": TimeoutError("QueuePool limit of size 20 overflow 0 reached"),
}


def routes_of(app: Any, values: Mapping[str, Any] = PLACES) -> list[tuple[str, str]]:
    """Return (method, path with a value in each place, else 1) of all routes except endless streams."""
    assert isinstance(app, FastAPI)
    found = [
        (method, re.sub(r"{(\w+)(?::\w+)?}", lambda place: str(values.get(place[1], 1)), context.path or ""))
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute) and not (context.path or "").endswith("/live")
        for method in sorted(context.original_route.methods or ())
    ]
    assert len(found) > 50
    return found


NO_ROUTES = [  # answered by the error handlers, which read the session
    ("GET", "/nope"),
    ("HEAD", "/nope"),
    ("POST", "/nope"),
    ("PUT", "/login"),
    ("DELETE", "/fleet"),
    ("GET", "/fleet/"),
    ("GET", "/static/nope"),
    ("GET", "/api/nope"),
    ("GET", "/login?next=" + 9000 * "x"),
    ("GET", "/charge-points/cp-1/history?days=99"),
]


@contextmanager
def in_trouble(bridge: Bridge, monkeypatch: pytest.MonkeyPatch, error: Exception) -> Iterator[None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        for way_in in ("reading", "writing", "writing_on_demand"):
            patched.setattr(bridge.app_state.database, way_in, fail)
        yield


@pytest.mark.parametrize("error", TROUBLE.values(), ids=TROUBLE.keys())
@pytest.mark.parametrize("who", ["somebody", "a program", "nobody"])
def test_every_address_says_try_again(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, who: str, error: Exception
) -> None:
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    client = TestClient(bridge.client.app, raise_server_exceptions=False, follow_redirects=False)
    if who == "somebody":
        client.cookies = olga.client.cookies
    if who == "a program":
        client.headers["Authorization"] = f"Bearer {TOKEN}"
    wrong = []
    with in_trouble(bridge, monkeypatch, error):
        for method, path in [*routes_of(bridge.client.app), *NO_ROUTES]:
            answer = client.request(method, path, data={"form": "x"} if method == "POST" else None)
            told = answer.status_code == 503 and answer.headers.get("Retry-After") and "ry again" in answer.text
            if answer.status_code >= 500 and not told:
                wrong.append((method, path, answer.status_code))
    assert not wrong


@pytest.mark.parametrize("error", TROUBLE.values(), ids=TROUBLE.keys())
def test_a_login_says_try_again(bridge: Bridge, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    Visitor(bridge, "olga", Role.OPERATOR)
    client = TestClient(bridge.client.app, raise_server_exceptions=False, follow_redirects=False)
    page = client.get("/login")
    assert page.status_code == 200
    form = page.text.split('name="form" value="')[1].split('"')[0]
    with in_trouble(bridge, monkeypatch, error):
        assert client.get("/login").status_code == 200
        answer = client.post("/login", data={"name": "olga", "password": "x", "form": form})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "Try again in a minute" in answer.text
