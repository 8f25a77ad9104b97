"""Can a person choose their notifications, export their data, and be erased?"""

from dataclasses import replace
from typing import Any

import pytest

from cloud_bridge.store.access import Role
from cloud_bridge.web.pages.everyone import email
from cloud_bridge.web.public_address import parse
from tests.cloud_bridge.people import PASSWORD, Visitor, give
from tests.cloud_bridge.running import Bridge, Unit, sample


@pytest.fixture
def dora(bridge: Bridge) -> Visitor:
    new = bridge.add_unit("home-1")
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    give(bridge, new.claim_code, "dora")
    Unit(bridge, "home-1", new.secret).connect().publish("cp/home-1/session", sample("session"))
    return Visitor(bridge, "dora")


def test_a_notification_comes_and_goes(bridge: Bridge, dora: Visitor) -> None:
    path = "/account/notifications"
    hook = {"about": "silent", "via": "webhook", "target": "https://example.org/hook"}
    assert "https://example.org/hook" in dora.post(path, **hook).text
    stranger = Visitor(bridge, "eve", Role.DRIVER)
    assert stranger.post(f"{path}/1/remove", path).status_code == 404
    assert "example.org/hook" not in dora.post(f"{path}/1/remove", path).text


def test_a_target_that_is_not_called_is_told_beside_its_field(dora: Visitor) -> None:
    answer = dora.post("/account/notifications", about="silent", via="webhook", target="http://127.0.0.1/")
    assert answer.status_code == 422
    assert "This does not look like https://hooks.example.org/chargers. Nothing was changed." in answer.text
    assert 'value="http://127.0.0.1/"' in answer.text


def test_their_data_is_one_file_without_secrets(dora: Visitor) -> None:
    """[S1-4]"""
    answer = dora.post("/account/data/export", "/account/data")
    said = answer.json()
    assert said["people"][0]["name"] == "dora"
    assert said["sessions"][0]["energy_wh"] == 22140
    assert "hash" not in answer.text


def test_erasing_needs_the_password_and_is_for_good(bridge: Bridge, dora: Visitor) -> None:
    """[S1-7]"""
    assert dora.post("/account/data/erase", "/account/data", password="guess").status_code == 422
    assert dora.client.get("/account").status_code == 200
    assert dora.post("/account/data/erase", "/account/data", password=PASSWORD).url.path == "/login"
    assert dora.client.get("/account").url.path == "/login"
    assert Visitor(bridge, "dora", Role.DRIVER).read("/account/units").count("home-1") == 0


def test_an_address_is_not_changed_where_no_mail_is_sent(dora: Visitor) -> None:
    """With a mail server, see hil_tests/web/test_journeys.py."""
    assert "sends no e-mail at present" in dora.read("/account/email")
    assert "sends no e-mail at present" in dora.read("/account/notifications")
    assert "E-mail" not in dora.read("/account/notifications")
    answer = dora.post("/account/email", "/account/password", address="dora@example.org", password=PASSWORD)
    assert answer.status_code == 503
    answer = dora.post("/account/email", "/account/password", address="dora@example.org", password="guess")
    assert "That is not your password" in answer.text, "a letter there could set a new one"
    assert "We have written to" not in dora.get("/account/email")
    assert dora.post("/account/email", "/account/password", address="no address", password=PASSWORD).status_code == 422
    assert dora.post("/account/email/confirm", code="x" * 43).status_code == 422


@pytest.mark.parametrize("public_url", ["https://chargers.example", "https://example.org/chargers"])
def test_a_letter_leads_to_the_public_address_whatever_host_the_request_names(
    bridge: Bridge, dora: Visitor, monkeypatch: pytest.MonkeyPatch, public_url: str
) -> None:
    letters: list[str] = []
    monkeypatch.setattr(email, "send_mail", lambda _server, _address, words: letters.append(words))
    app: Any = bridge.client.app
    app.state.bridge = replace(bridge.app_state, settings=replace(bridge.app_state.settings, public_url=public_url))
    prefix = parse(public_url).cookie_prefix
    cookies = "; ".join(f"{prefix}{name}={value}" for name, value in dora.client.cookies.items())
    dora.client.headers.update({"Host": "evil.example", "Cookie": cookies})
    dora.post("/account/email", "/account/password", address="dora@example.org", password=PASSWORD)
    assert f"open this page within a day: {public_url}/account/email/confirm?code=" in letters[0]
