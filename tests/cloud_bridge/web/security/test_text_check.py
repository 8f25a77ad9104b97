"""Is a text that a database refuses rejected immediately, anywhere in a request?"""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.store.access import Role
from cloud_bridge.text import MAX_DEPTH, holds_storable, is_storable
from cloud_bridge.web.security import text_check
from cloud_bridge.web.security.photo_uploads import takes_photo
from cloud_bridge.web.security.text_check import LEFT_TO_ROUTE, is_storable_body
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge

FORM = "application/x-www-form-urlencoded"
PART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n--b--\r\n'
BODIES = [
    (FORM, b"name=a%00b"),
    (FORM, b"a%00b=name"),
    (FORM, b"name=a\0b"),
    (f"{FORM}; charset=utf-8", b"name=%00"),
    ("multipart/form-data; boundary=b", PART % (b"name", b"a\0b")),
    ("multipart/form-data; boundary=b", PART % (b"a\0b", b"x")),
    ("multipart/form-data; boundary=b", PART.replace(b'"%s"', b'"%s"; filename="a\0b"') % (b"report", b"x")),
    ("multipart/form-data; boundary=b; charset=utf-7", PART % (b"name", b"a+AAA-b")),
    ('multipart/form-data; boundary=b; charset="unicode_escape"', PART % (b"name", rb"a\x00b")),
    ("application/json", rb'{"name": "a\u0000b"}'),
    ("application/json", rb'{"a\u0000b": 1}'),
    ("application/json", rb'[[{"x": ["\ud800"]}]]'),
    ("application/json", rb'"\udfff\ud800"'),
    ("application/json", rb'{"name": "a\uD83Db"}'),
    ("application/problem+json", rb'{"name": "a\u0000b"}'),
    ("", rb'{"name": "a\u0000b"}'),
]
GOOD = [
    (FORM, b"name=%F0%9F%94%8C+%C3%A9&empty="),
    ("multipart/form-data; boundary=b", PART % (b"name", "é".encode())),
    ("multipart/form-data; boundary=b; charset=UTF-8", PART % (b"name", b"x")),
    ("multipart/form-data; boundary=b", PART.replace(b'"%s"', b'"%s"; filename="x"') % (b"report", b"a\0b")),
    ("application/json", rb'{"name": "\ud83d\udd0c \\u0000 \u00e9"}'),
    ("application/json", rb'{"name": \u0000'),
    ("application/json", b""),
]


def paths(bridge: Bridge, method: str, value: str) -> list[str]:
    app: Any = bridge.client.app
    found = [context.path or "" for context in iter_route_contexts(app.routes) if method in (context.methods or ())]
    return [re.sub(r"\{\w+\}", value, path) for path in found]


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_a_body_with_such_a_text_is_noticed(kind: str, body: bytes) -> None:
    assert not is_storable_body(kind, body)


@pytest.mark.parametrize(("kind", "body"), GOOD)
def test_any_other_body_passes(kind: str, body: bytes) -> None:
    assert is_storable_body(kind, body)


TEXTS = st.text() | st.text(st.characters(categories=["Cs", "Cc"]))
JSON: st.SearchStrategy[Any] = st.deferred(
    lambda: TEXTS | st.none() | st.integers() | st.lists(JSON, max_size=3) | st.dictionaries(TEXTS, JSON, max_size=3)
)


@given(JSON)
def test_what_passes_can_be_written_as_utf_8_and_has_no_nul(value: Any) -> None:
    """In JSON, two surrogates that form a pair are one character."""
    read = json.loads(json.dumps(value))
    storable = all("\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text) for text in texts_in(read))
    assert holds_storable(read) is storable
    assert is_storable_body("application/json", json.dumps(value).encode()) is storable


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from texts_in(one)


def test_json_without_end_is_refused_and_not_followed() -> None:
    deep = json.loads("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2))
    assert not holds_storable(deep)


def test_every_route_refuses_it_in_its_path_and_in_its_query(bridge: Bridge) -> None:
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    for client in (olga.client, bridge.client):
        for path in paths(bridge, "GET", "a%00b"):
            if "%00" in path:
                assert client.get(path).status_code == (422 if path.startswith("/api/") else 404), path
        for path in paths(bridge, "GET", "1"):
            for query in ("x=%00", "%00=x", "q=a%00b", "code=%00&state=x", "after=%00", "next=/%00", "days=%00"):
                if not path.startswith(LEFT_TO_ROUTE):
                    programs = path.startswith(("/api/", "/healthz", "/livez", "/metrics", "/openapi.json"))
                    assert client.get(f"{path}?{query}").status_code == (422 if programs else 404), (path, query)


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_every_route_refuses_it_in_its_body(bridge: Bridge, kind: str, body: bytes) -> None:
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    for client in (olga.client, bridge.client):
        for path in paths(bridge, "POST", "1"):
            answer = client.post(path, content=body, headers={"Content-Type": kind} if kind else None)
            if takes_photo("POST", path):  # a client without a session is redirected to the login
                assert answer.status_code in (200, 404)
                continue
            if path.startswith(LEFT_TO_ROUTE):
                assert 400 <= answer.status_code < 500
                continue
            assert answer.status_code == 422, path
            json_expected = path.startswith("/api/")
            assert answer.headers["content-type"].startswith("application/json" if json_expected else "text/html")


@pytest.mark.parametrize("value", [b"NaN", b"-Infinity", b"1e999", b'{"x": [NaN]}', b"9" * 4000, b"9" * 5000])
def test_a_number_that_is_none_is_refused(bridge: Bridge, value: bytes) -> None:
    """The answer once repeated it, and JSON cannot represent it, so the status was 500."""
    for path in paths(bridge, "POST", "1"):
        if path.startswith("/api/"):
            for body in (value, b'{"about": %s}' % value, b'{"target": %s, "via": "webhook"}' % value):
                answer = bridge.client.post(path, content=body, headers={"Content-Type": "application/json"})
                assert 400 <= answer.status_code < 500, path
                assert value.decode() not in answer.text


def test_a_form_that_is_refused_has_changed_nothing(bridge: Bridge) -> None:
    dora = Visitor(bridge, "dora", Role.DRIVER)
    assert dora.post("/account/details", full_name="Dora", phone="01614960000").status_code == 200
    for name in ("\0", "Do\0ra", "\0" * 100):
        answer = dora.post("/account/details", full_name=name, phone="01614960001")
        assert answer.status_code == 422
        assert "Nothing was changed" in answer.text
    assert 'value="Dora"' in dora.get("/account/details")


@pytest.mark.parametrize("text", ["", "é", "🔌", "\x01", "\ufffe", "\U0010ffff"])
def test_a_character_is_storable(text: str) -> None:
    assert is_storable(text)


@pytest.mark.parametrize("text", ["\0", "a\0", "\ud800", "\udfff", "\udc80abc", "\ud83d\udd0c"])
def test_what_is_no_character_is_not(text: str) -> None:
    """In a Python string, two surrogates are two lone ones."""
    assert not is_storable(text)


def test_a_value_that_only_the_database_refuses_is_the_requests_fault(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import DataError

    from cloud_bridge.web.pages.operator import fleet

    def refused(*_: object) -> None:
        raise DataError("SELECT", {}, ValueError("out of range"))

    monkeypatch.setattr(fleet, "page_of", refused)
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    assert olga.client.get("/fleet").status_code == 422


def test_a_body_that_does_not_come_is_not_waited_for(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_check, "BODY_WITHIN_S", 0.01)
    sent: list[Any] = []

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-length", b"10"), (b"content-type", FORM.encode())]
    scope = {"type": "http", "method": "POST", "path": "/login", "query_string": b"", "headers": headers}

    async def ask() -> None:
        await bridge.client.app(scope, never, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 408
