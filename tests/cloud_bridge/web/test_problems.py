"""Does a person who made an error see what happened, and a way back?"""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import InternalError, OperationalError, TimeoutError
from starlette.testclient import TestClient
from starlette.types import Message

from cloud_bridge.store.access import Role
from cloud_bridge.web.api import charge_points as api
from cloud_bridge.web.pages.operator import fleet
from tests.cloud_bridge.people import PASSWORD, Visitor
from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.web.test_pages import form_token_in

TOO_LARGE = 2**63  # for any database row


@pytest.fixture
def olga(bridge: Bridge) -> Iterator[Visitor]:
    yield Visitor(bridge, "olga", Role.OPERATOR)


@pytest.mark.parametrize(
    "path",
    [f"/jobs/{TOO_LARGE}", f"/support/{TOO_LARGE}", f"/account/vehicles/{TOO_LARGE}", "/jobs/0", "/fleet?by=size"],
)
def test_is_an_address_that_no_page_leads_to_answered_with_a_page(olga: Visitor, path: str) -> None:
    answer = olga.client.get(path)
    assert answer.status_code == 404
    assert "Not here" in answer.text


def test_does_a_refused_form_lead_back_to_where_it_stands(olga: Visitor) -> None:
    """With a wrong code of a letter: to the page with the form; from elsewhere, to the first page."""
    page = str(olga.client.base_url) + "/account/email/confirm"
    olga.client.headers["Referer"] = page
    assert '<a href="/account/email/confirm">Back</a>' in olga.post("/account/email/confirm", code="7K4M").text
    for elsewhere in ("https://example.org/account", ""):
        olga.client.headers["Referer"] = elsewhere
        assert '<a href="/">Back to the start</a>' in olga.post("/account/email/confirm", code="7K4M").text


def test_is_our_own_mistake_a_page_too(olga: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(fleet, "page_of", broken)
    browser = TestClient(olga.client.app, raise_server_exceptions=False, cookies=olga.client.cookies)
    answer = browser.get("/fleet")
    assert answer.status_code == 500
    assert "It is our fault, not yours" in answer.text


def test_is_who_leaves_in_the_middle_of_a_request_no_mistake_of_ours(olga: Visitor) -> None:
    """Nothing is raised, so the server logs nothing. The route reads its body itself."""
    scope = {"type": "http", "method": "POST", "path": "/api/webhooks/tesla", "query_string": b"", "root_path": ""}
    headers = [(b"host", b"x"), (b"content-length", b"9")]
    messages: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return messages.pop(0) if len(messages) > 1 else messages[0]

    async def send(message: Message) -> None:
        """Ignore the answer."""

    async def ask() -> None:
        await olga.client.app(scope | {"headers": headers, "client": ("127.0.0.1", 1)}, receive, send)

    asyncio.run(ask())


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT", {}, Exception("the server has gone away")),
        InternalError("UPDATE", {}, Exception("cannot execute UPDATE in a read-only transaction")),
        TimeoutError("QueuePool limit of size 20 overflow 0 reached"),
    ],
)
def test_is_a_database_that_is_away_a_page_that_says_try_again(
    olga: Visitor, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def away(*_: object) -> None:
        raise error

    monkeypatch.setattr(fleet, "page_of", away)
    monkeypatch.setattr(api, "visible_units", away)
    answer = olga.client.get("/fleet")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "Try again in a minute" in answer.text
    answer = olga.client.get("/api/charge-points")
    assert (answer.status_code, answer.json()["detail"]) == (503, "the database cannot be reached: try again")


def test_is_a_crowd_at_the_login_told_to_try_again(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_bridge.passwords.MAX_WAITING", 0)
    client = bridge.stranger()
    form = form_token_in(client.get("/login").text)
    answer = client.post("/login", data={"name": "olga", "password": "x", "form": form})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert "Many people are logging in" in answer.text
    assert bridge.client.get("/healthz").json()["refused_logins"] == 1


@pytest.mark.parametrize("password", ["1234567890", " " * 10, "olgaolgaolga", "short"])
def test_is_a_password_that_would_be_guessed_refused_with_the_reason(olga: Visitor, password: str) -> None:
    answer = olga.post("/account/password", old=PASSWORD, new=password)
    assert answer.status_code == 422
    assert "Nothing was changed." in answer.text
    assert olga.client.get("/account").status_code == 200, "still logged in, with the old one"
