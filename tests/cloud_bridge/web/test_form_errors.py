"""Is a refused form shown again, with what was typed and the reason beside its field?"""

import re
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from starlette.testclient import TestClient

from cloud_bridge.store.access import Role
from cloud_bridge.web.form_errors import NOTHING, Typed, page_again, typed_of
from cloud_bridge.web.security.forms import form_token
from tests.cloud_bridge.people import PASSWORD, Visitor, give, text_of
from tests.cloud_bridge.running import Bridge

LONG = "0123456789" * 5


@pytest.fixture
def dora(bridge: Bridge) -> Visitor:
    new = bridge.add_unit("home-1")
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    give(bridge, new.claim_code, "dora")
    return Visitor(bridge, "dora")


def field_of(html: str, name: str) -> str:
    """Return the tag of a field, which must be marked as wrong and refer to its explanation."""
    tag = re.search(rf'<(?:input|select|textarea) [^>]*?name="{name}"[^>]*>', html)
    assert tag is not None, html
    return tag[0]


@pytest.mark.parametrize(
    ("path", "fields", "field", "reason"),
    [
        ("/account/units", {"code": "7K4M"}, "code", "No charger has this code"),
        ("/account/units", {"code": ""}, "code", "Fill this in."),
        ("/account/units/home-1", {"name": "Wall", "time_zone": "Mars/Olympus"}, "time_zone", "is no time zone"),
        ("/account/units/home-1", {"name": "x" * 101, "time_zone": "Europe/Paris"}, "name", "At most 100 characters"),
        ("/account/password", {"old": "guess", "new": "four quiet words apart"}, "old", "That is not your password."),
        ("/account/password", {"old": PASSWORD, "new": "1234567890"}, "new", "Nothing was changed."),
        ("/account/details", {"full_name": "Dora", "phone": LONG}, "phone", "Type a phone number"),
        ("/claim", {"code": "7K4M"}, "code", "No charger has this code"),
        ("/support", {"text": "x" * 4001}, "text", "At most 4000 characters"),
        ("/charge-points/home-1/support", {"text": ""}, "text", "Fill this in."),
    ],
)
def test_does_the_page_come_again_with_the_reason_beside_the_field(
    dora: Visitor, path: str, fields: dict[str, str], field: str, reason: str
) -> None:
    answer = dora.post(path, **fields)
    assert answer.status_code == 422
    tag = field_of(answer.text, field)
    assert 'aria-invalid="true"' in tag
    assert "autofocus" in tag
    told = re.search(rf'<p class="problem" id="problem-{field}">(.*?)</p>', answer.text)
    assert told is not None
    assert reason in told[1]
    assert f"problem-{field}" in tag.partition('aria-describedby="')[2].partition('"')[0].split()
    assert answer.text.count('class="problem"') == 1
    assert "<title>Not taken: " in answer.text


def test_does_what_was_typed_stay_but_no_password(dora: Visitor) -> None:
    typed = '"><b>7K4M'
    answer = dora.post("/account/units", code=typed)
    assert 'value="&#34;&gt;&lt;b&gt;7K4M"' in field_of(answer.text, "code")
    answer = dora.post("/account/details", full_name="Dora Driver", phone=LONG, address="4 Long Lane")
    assert ">4 Long Lane</textarea>" in answer.text
    assert 'value="Dora Driver"' in answer.text
    assert f'value="{LONG}"' in answer.text
    answer = dora.post("/account/units/home-1", name="Wall", time_zone="Mars/Olympus")
    assert 'value="Wall"' in field_of(answer.text, "name")
    answer = dora.post("/account/password", old="a wrong guess", new="four quiet words apart")
    assert "a wrong guess" not in answer.text
    assert "four quiet words" not in answer.text
    answer = dora.post("/account/data/erase", "/account/data", password="a wrong guess")
    assert "a wrong guess" not in answer.text
    assert "That is not your password. Nothing was deleted." in text_of(answer.text)


def test_can_the_page_that_came_again_be_sent(dora: Visitor) -> None:
    """Its token and its mark are new."""
    answer = dora.post("/support", text="")
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text))
    assert "Hello" in dora.client.post("/support", data=hidden | {"text": "Hello"}).text


def test_is_a_form_of_another_site_never_shown_filled_in(dora: Visitor) -> None:
    for token in ({}, {"form": ""}, {"form": "f" * 64}, {"form": "f" * 201}):
        answer = dora.client.post("/account/details", data=token | {"full_name": "Mallory", "phone": LONG})
        assert answer.status_code in (403, 413, 422)
        assert "Mallory" not in answer.text
        assert "Nothing was changed" in answer.text or "Nothing was stored" in answer.text


def test_is_a_reason_that_the_page_has_no_place_for_a_page_of_its_own(dora: Visitor) -> None:
    """An invalid mark of the form: no visible field."""
    answer = dora.post("/support", text="Hello", once="none")
    assert answer.status_code == 422
    assert "Something was missing" in answer.text


def test_does_a_page_of_its_own_tell_every_reason(bridge: Bridge) -> None:
    """An installer's details have no address, so there is no place for its error."""
    answer = Visitor(bridge, "ingo", Role.INSTALLER).post("/account/details", phone="call me", address="x\n" * 9)
    assert answer.status_code == 422
    said = text_of(answer.text)
    assert "These details were not taken" in said and "Nothing was changed." in said
    assert "Type a phone number" in said and "Up to 8 lines" in said


def test_is_a_rate_told_on_the_form_and_the_message_kept(dora: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    app: Any = dora.client.app
    monkeypatch.setattr(app.state.rates, "use", lambda *_: 60_000)
    answer = dora.post("/support", text="My long story")
    assert answer.status_code == 429
    assert ">My long story</textarea>" in answer.text
    assert '<p class="problem" role="alert" tabindex="-1" autofocus>' in answer.text


@pytest.mark.parametrize(
    ("cookie", "status"), [("chargekeeper_session", 422), ("chargekeeper_login", 422), ("planted_by_a_neighbour", 409)]
)
def test_a_form_of_a_stranger_comes_again_too(cookie: str, status: int) -> None:
    """Its token is bound to the cookie of the login; a token bound to another cookie is refused."""
    app = FastAPI()

    @app.get("/form")
    def show(request: Request) -> Response:
        return HTMLResponse(typed_of(request).form("/form").problem("name"))

    @app.post("/form")
    async def take(request: Request) -> Response:
        return await page_again(request, {"name": "This name is taken."}, 422) or Response(status_code=409)

    visitor = TestClient(app, cookies={cookie: "c"})
    answer = visitor.post("/form", data={"form": form_token("c"), "name": "ann"})
    assert answer.status_code == status
    assert ("This name is taken." in answer.text) == (status == 422)


def test_which_of_several_forms_with_one_action_was_sent() -> None:
    typed = Typed("/here", {"via": ["slack"], "days": ["mon", "tue"]}, {"address": "no"})
    assert typed.form("/here", via="slack") is typed
    assert typed.form("/here", via="discord") is NOTHING
    assert typed.form("/there") is NOTHING
    assert typed.has("days", "tue")
    assert not typed.has("days", "sun", stored=True)
    assert typed.form("/there").has("days", "sun", stored=True)
    assert typed.form("/there").value("name", "stored") == "stored"
