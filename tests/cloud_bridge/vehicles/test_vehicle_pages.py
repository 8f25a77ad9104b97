"""Do the pages say what is wrong with the car's account, what to do, and nothing that is not so?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from cloud_bridge.store.access import Role
from cloud_bridge.store.tables import units
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.catalogue import Catalogue
from cloud_bridge.vehicles.keys import KeyFile
from cloud_bridge.vehicles.linking import Refusal
from cloud_bridge.vehicles.provider import ProviderError
from cloud_bridge.vehicles.trouble import AUTHORISE_AGAIN, LASTING, Trouble
from cloud_bridge.vehicles.vault import Vault
from cloud_bridge.web.app import create_app
from cloud_bridge.web.vehicle_words import LOST, REFUSED
from tests.cloud_bridge.running import Bridge, Unit, sample
from tests.cloud_bridge.test_pages import form_token_in, log_in, text_of
from tests.cloud_bridge.vehicles.acting import BLUE, RED, Door, Maker

PASSWORD = "correct horse"
MINUTE_MS = 60_000


@dataclass
class Play:
    """Ann's browser, and her car's maker."""

    bridge: Bridge
    app: Any
    client: TestClient
    maker: Maker

    def post(self, path: str, **data: str) -> Any:
        form = form_token_in(self.client.get("/account/vehicles/connect").text)
        return self.client.post(path, data=data | {"form": form}, follow_redirects=False)

    def leave(self, path: str = "/account/vehicles/connect") -> str:
        """Press Continue. Returns the state that the maker was given."""
        html = self.post(path, provider="maker").text
        url = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', html)
        assert url, html
        return dict(parse_qsl(urlsplit(url[1].replace("&amp;", "&")).query))["state"]

    def come_back(self, **answer: str) -> Any:
        return self.client.get("/vehicles/return/maker", params=answer, follow_redirects=False)

    def link(self) -> None:
        assert self.come_back(state=self.leave(), code="c").status_code == 303

    def trouble(self, trouble: Trouble, advice: str = "") -> None:
        self.maker.trouble["read"] = ProviderError(trouble, advice=advice)
        self.post("/account/vehicles/1/refresh")


@pytest.fixture
def play(bridge: Bridge) -> Iterator[Play]:
    house, maker = bridge.house, Maker()
    catalogue, vault = Catalogue("https://app.example", {"maker": maker}), Vault(KeyFile(house.settings.folder))
    accounts = Accounts(
        house.database, house.clock, vault, catalogue, Door(house.database, vault, catalogue, bridge.clock)
    )
    app = create_app(replace(house, accounts=accounts))
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    client = TestClient(app)
    assert log_in(client) == 303
    yield Play(bridge, app, client, maker)


def mark_in(html: str) -> str:
    found = re.search(r'data-seen="([^"]+)"', html)
    assert found, html
    return found[1]


def test_every_lasting_trouble_and_every_refusal_has_its_words() -> None:
    assert set(LOST) == LASTING
    assert set(REFUSED) == set(Refusal)


def test_the_return_shows_no_code_and_leads_to_the_car(play: Play) -> None:
    back = play.come_back(state=play.leave(), code="c")
    assert back.headers["Location"] == "/account/vehicles/1?said=connected"
    said = text_of(play.client.get("/").text)
    assert "Blue Connected Battery 50 % Plugged in Yes Charging No Last seen Just now" in said


@pytest.mark.parametrize("trouble", sorted(LASTING))
def test_lost_access_is_an_error_that_says_what_to_do(play: Play, trouble: Trouble) -> None:
    play.link()
    play.trouble(trouble)
    html = play.client.get("/").text
    assert html.count('role="alert"') == 1
    title, _, remedy = (text.format(car="Blue", maker="Maker") for text in LOST[trouble])
    assert title in text_of(html).replace("&#39;", "'")
    assert remedy in text_of(html).replace("&#39;", "'")
    assert "You can charge all the same." in text_of(html)
    reconnect = "/account/vehicles/1/connect" in play.post("/account/vehicles/1/refresh").headers["Location"]
    assert reconnect == (trouble in AUTHORISE_AGAIN), "no loop through the maker's page that cannot help"


def test_lost_access_stands_right_under_last_contacted(play: Play) -> None:
    new = play.bridge.add_unit("home-1")
    Unit(play.bridge, "home-1", new.secret).connect().publish("cp/home-1/heartbeat", sample("heartbeat-charging"))
    with play.bridge.house.database.writing() as connection:
        connection.execute(update(units).values(owner_id=1))
    play.link()
    before = mark_in(play.client.get("/").text)
    play.trouble(Trouble.CONSENT_GONE)
    html = play.client.get("/").text
    places = [html.index(text) for text in ("Last contacted", "We have lost access to Blue", 'id="live-unit"')]
    assert places == sorted(places)
    assert mark_in(html) != before, "an open page hears of it"


@pytest.mark.parametrize("trouble", sorted(set(Trouble) - LASTING - {Trouble.STALE_TOKEN}))
def test_transient_trouble_is_no_error(play: Play, trouble: Trouble) -> None:
    play.link()
    play.trouble(trouble)
    assert 'role="alert"' not in play.client.get("/").text


def test_refresh_clears_the_error_when_access_is_back(play: Play) -> None:
    play.link()
    play.trouble(Trouble.REMOTE_OFF)
    play.maker.trouble.clear()
    assert play.post("/account/vehicles/1/refresh", back="dashboard").headers["Location"] == "/"
    assert 'role="alert"' not in play.client.get("/").text


def test_the_makers_own_words_are_shown_and_only_as_text(play: Play) -> None:
    play.link()
    play.trouble(Trouble.SUBSCRIPTION, "Renew <b>it</b>.")
    assert "Renew &lt;b&gt;it&lt;/b&gt;." in play.client.get("/").text


def test_the_other_cars_of_an_account_are_one_press_away(play: Play) -> None:
    play.maker.garage = [BLUE, RED]
    returned = play.come_back(state=play.leave(), code="c").headers["Location"]
    assert returned == "/account/vehicles/1?said=more-1"
    html = play.client.get(returned).text
    assert re.search(r'action="/account/vehicles/connect">.*?name="provider" value="maker">.*?next vehicle', html, re.S)
    assert play.come_back(state=play.leave(), code="c").headers["Location"] == "/account/vehicles/2?said=connected"
    said = text_of(play.client.get("/account/vehicles").text)
    assert "Blue" in said and "Red" in said


def test_a_different_car_is_refused_with_clear_words(play: Play) -> None:
    play.link()
    play.trouble(Trouble.CONSENT_GONE)
    play.maker.garage = [RED]
    back = play.come_back(state=play.leave("/account/vehicles/1/connect"), code="c")
    assert back.status_code == 400
    said = text_of(back.text)
    assert f"You wanted to connect Blue (…{BLUE.vin[-4:]}) again" in said
    assert f"has Red (…{RED.vin[-4:]})" in said
    assert 'role="alert"' in play.client.get("/").text, "and the error is still there"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"state": "guess", "code": "c"},
        {"code": "c"},
        {"error": "access_denied"},
        {"state": "x" * 9000, "code": "c"},
        {"state": "\x00", "code": "\x00"},
        {"state": "é", "error": "<script>"},
    ],
)
def test_a_return_that_nobody_began_is_a_clear_page(play: Play, answer: dict[str, str]) -> None:
    back = play.come_back(**answer)
    assert back.status_code == 400
    assert "Nothing was changed. Start again." in text_of(back.text)
    assert "<script>" not in back.text


def test_a_clock_ten_minutes_off_is_a_clear_page_or_nothing_to_see(play: Play) -> None:
    state = play.leave()
    play.bridge.clock.advance(10 * MINUTE_MS)
    back = play.come_back(state=state, code="c")
    assert back.status_code == 400
    assert "That way back was too old" in text_of(back.text)
    state = play.leave()
    play.bridge.clock.advance(-10 * MINUTE_MS)
    assert play.come_back(state=state, code="c").headers["Location"] == "/account/vehicles/1?said=connected"
    play.bridge.clock.advance(-10 * MINUTE_MS)
    play.post("/account/vehicles/1/refresh")
    said = play.client.get("/").text
    assert "Last seen Just now" in text_of(said)
    assert 'role="alert"' not in said


def test_a_return_without_a_session_asks_for_a_login_and_leads_nowhere_else(play: Play) -> None:
    state = play.leave()
    back = TestClient(play.app).get(
        "/vehicles/return/maker", params={"state": state, "code": "c", "next": "https://evil"}, follow_redirects=False
    )
    assert back.status_code == 303
    assert back.headers["Location"].startswith("/login")
    assert "code" not in back.headers["Location"]


def test_nothing_in_a_return_is_an_address_to_go_to(play: Play) -> None:
    for name in ("next", "redirect_uri", "back", "url"):
        back = play.come_back(state=play.leave(), code="c", **{name: "https://evil.example"})
        assert back.headers["Location"].startswith("/account/vehicles/1")
    done = play.post("/account/vehicles/1/refresh", back="https://evil.example")
    assert done.headers["Location"].startswith("/account/vehicles/1")


def test_the_provider_in_trouble_is_a_clear_page(play: Play) -> None:
    play.maker.trouble["exchange"] = ProviderError(Trouble.OUTAGE)
    back = play.come_back(state=play.leave(), code="c")
    assert "The car maker does not answer" in text_of(back.text)
    assert "No car maker" not in play.client.get("/account/vehicles").text


def test_a_car_of_somebody_else_is_not_there(play: Play) -> None:
    play.link()
    play.bridge.add_person("bob", PASSWORD, Role.DRIVER)
    bob = TestClient(play.app)
    assert log_in(bob, "bob") == 303
    assert "Blue" not in bob.get("/").text
    form = form_token_in(bob.get("/account/vehicles/connect").text)
    assert bob.get("/account/vehicles/1").status_code == 404
    for what in ("refresh", "disconnect", "remove", "connect"):
        data = {"form": form, "provider": "maker"}
        assert bob.post(f"/account/vehicles/1/{what}", data=data).status_code == 404
    assert play.client.get("/account/vehicles/1").status_code == 200


def test_a_form_of_another_site_changes_nothing(play: Play) -> None:
    play.link()
    for what in ("refresh", "disconnect", "remove", "connect"):
        assert (
            play.client.post(f"/account/vehicles/1/{what}", data={"form": "0" * 64, "provider": "maker"}).status_code
            == 403
        )


def test_disconnecting_and_removing(play: Play) -> None:
    play.link()
    assert play.post("/account/vehicles/1/disconnect").headers["Location"].endswith("said=disconnected")
    assert "Not connected" in text_of(play.client.get("/account/vehicles/1").text)
    play.link()
    assert play.post("/account/vehicles/1/remove").headers["Location"] == "/account/vehicles"
    assert play.client.get("/account/vehicles/1").status_code == 404


def test_a_maker_that_is_not_in_the_settings_is_refused(play: Play) -> None:
    assert play.post("/account/vehicles/connect", provider="nobody").status_code == 404
    assert play.client.get("/vehicles/return/nobody?state=x&code=c").status_code == 400


def test_the_pages_have_nothing_inline(play: Play) -> None:
    play.link()
    for path in (
        "/account/vehicles",
        "/account/vehicles/1",
        "/account/vehicles/1/connect",
        "/account/vehicles/connect",
    ):
        html = play.client.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=\"/static/)", html)


def test_ready_by_is_a_claim_that_ends_by_itself(play: Play) -> None:
    new = play.bridge.add_unit("home-1")
    unit = Unit(play.bridge, "home-1", new.secret).connect()
    unit.subscribe("cp/home-1/command")
    with play.bridge.house.database.writing() as connection:
        connection.execute(update(units).values(owner_id=1))
    play.link()
    assert "Ready by" in play.client.get("/account/vehicles/1").text
    wish = {"unit_id": "home-1", "time": "07:00", "target": "80", "capacity_kwh": "60", "power_kw": "7.4"}
    done = play.post("/account/vehicles/1/ready-by", **wish)
    assert done.headers["Location"] == "/charge-points/home-1/charging"
    assert unit.heard.wait(10)
    command: Any = unit.commands[-1]
    now_s = play.bridge.clock.now_ms() // 1000
    assert command["do"] == "pause"
    assert now_s < command["exp"] < now_s + 7 * 3600, "it begins before seven"
    for wrong in (
        {"unit_id": "other"},
        {"time": "25:00"},
        {"target": "nan"},
        {"power_kw": "0"},
        {"capacity_kwh": "-1"},
    ):
        assert play.post("/account/vehicles/1/ready-by", **(wish | wrong)).status_code in (404, 422)


def test_a_silent_charger_whose_car_says_that_it_charges_is_said_in_words(play: Play) -> None:
    new = play.bridge.add_unit("home-1")
    Unit(play.bridge, "home-1", new.secret).connect().publish("cp/home-1/heartbeat", sample("heartbeat-charging"))
    with play.bridge.house.database.writing() as connection:
        connection.execute(update(units).values(owner_id=1))
    play.maker.charge["charging"] = True
    play.link()
    assert "The car says it is charging" not in play.client.get("/").text
    play.bridge.clock.advance(31 * MINUTE_MS)
    play.post("/account/vehicles/1/refresh")
    said = text_of(play.client.get("/").text)
    assert "The car says it is charging We do not hear your charger, but Blue told Maker just now" in said


def test_a_service_without_any_maker_says_so(bridge: Bridge) -> None:
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    client = bridge.stranger()
    log_in(client)
    assert "No car maker is set up" in text_of(client.get("/account/vehicles").text)
