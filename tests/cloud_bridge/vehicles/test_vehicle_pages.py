"""Do the pages of Account > Vehicle Details lead a driver to the right car, and everybody else nowhere?"""

import re

import pytest
from starlette.testclient import TestClient

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.vehicles.providers.provider import Car, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.vehicles.acting import BLUE, RED
from tests.cloud_bridge.vehicles.browsing import PASSWORD, Driver
from tests.cloud_bridge.web.test_pages import form_token_in, log_in, text_of


def test_the_return_shows_no_code_and_leads_to_the_car(ann: Driver) -> None:
    back = ann.come_back(state=ann.leave(), code="c")
    assert back.headers["Location"] == "/account/vehicles/1?said=connected"
    said = text_of(ann.client.get("/").text)
    assert "Blue · Connected 50 % 50 % Plugged in Yes Charging No Last seen Just now" in said


def test_all_cars_of_an_account_are_added_with_one_press(ann: Driver) -> None:
    ann.maker.garage = [BLUE, RED, Car("car-3", "VIN000000000GREEN", "Green")]
    choice = ann.come_back(state=ann.leave(), code="c").headers["Location"]
    html = ann.client.get(choice).text
    assert re.findall(r'name="car" value="([^"]+)" checked', html) == ["car-1", "car-2", "car-3"]
    assert ann.post(choice, car=["car-1", "car-3"]).headers["Location"] == "/account/vehicles"
    said = text_of(ann.client.get("/account/vehicles").text)
    assert "Blue" in said and "Green" in said and "Red" not in said
    assert f'href="{choice}">Other vehicles of this account' in ann.client.get("/account/vehicles/1").text
    assert ann.post(choice, car="car-2").headers["Location"] == "/account/vehicles/3?said=connected"
    assert "Every vehicle of this account is here already" in text_of(ann.client.get(choice).text)


def test_a_choice_is_its_drivers_own_and_survives_a_maker_that_is_down(ann: Driver) -> None:
    ann.maker.garage = [BLUE, RED]
    choice = ann.come_back(state=ann.leave(), code="c").headers["Location"]
    ann.maker.trouble["cars"] = ProviderError(Trouble.OUTAGE)
    for answer in (ann.client.get(choice), ann.post(choice, car="car-1")):
        assert (answer.status_code, "does not list your vehicles" in text_of(answer.text)) == (502, True)
    ann.maker.trouble.clear()
    ann.bridge.add_person("bob", PASSWORD, Role.DRIVER)
    bob = TestClient(ann.app)
    log_in(bob, "bob")
    form = form_token_in(bob.get("/account/vehicles/connect").text)
    assert bob.get(choice).status_code == 404
    assert bob.post(choice, data={"form": form, "car": "car-1"}).status_code == 404
    assert ann.client.post(choice, data={"form": "0" * 64, "car": "car-1"}).status_code == 403
    assert ann.post(choice, car="car-1").status_code == 303


def test_a_different_car_is_refused_with_clear_words(ann: Driver) -> None:
    ann.link()
    ann.trouble(Trouble.CONSENT_GONE)
    ann.maker.garage = [RED]
    back = ann.come_back(state=ann.leave("/account/vehicles/1/connect"), code="c")
    assert back.status_code == 400
    said = text_of(back.text)
    assert f"You wanted to connect Blue (…{BLUE.vin[-4:]}) again" in said
    assert f"has Red (…{RED.vin[-4:]})" in said
    assert 'role="alert"' in ann.client.get("/").text, "and the error is still there"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"state": "guess", "code": "c"},
        {"code": "c"},
        {"error": "access_denied"},
        {"state": "x" * 9000, "code": "c"},
        {"state": "é", "error": "<script>"},
    ],
)
def test_a_return_that_nobody_began_is_a_clear_page(ann: Driver, answer: dict[str, str]) -> None:
    back = ann.come_back(**answer)
    assert back.status_code == 400
    assert "Nothing was changed. Start again." in text_of(back.text)
    assert "<script>" not in back.text


def test_a_clock_ten_minutes_off_is_a_clear_page_or_nothing_to_see(ann: Driver) -> None:
    state = ann.leave()
    ann.bridge.clock.advance(10 * MINUTE_MS)
    back = ann.come_back(state=state, code="c")
    assert back.status_code == 400
    assert "That way back was too old" in text_of(back.text)
    state = ann.leave()
    ann.bridge.clock.advance(-10 * MINUTE_MS)
    assert ann.come_back(state=state, code="c").headers["Location"] == "/account/vehicles/1?said=connected"
    ann.bridge.clock.advance(-10 * MINUTE_MS)
    ann.post("/account/vehicles/1/refresh")
    said = ann.client.get("/").text
    assert "Last seen Just now" in text_of(said)
    assert 'role="alert"' not in said


def test_a_return_without_a_session_asks_for_a_login_and_leads_nowhere_else(ann: Driver) -> None:
    state = ann.leave()
    back = TestClient(ann.app).get(
        "/vehicles/return/maker", params={"state": state, "code": "c", "next": "https://evil"}, follow_redirects=False
    )
    assert back.status_code == 303
    assert back.headers["Location"].startswith("/login")
    assert "code" not in back.headers["Location"]


def test_nothing_in_a_return_is_an_address_to_go_to(ann: Driver) -> None:
    for name in ("next", "redirect_uri", "back", "url"):
        back = ann.come_back(state=ann.leave(), code="c", **{name: "https://evil.example"})
        assert back.headers["Location"].startswith("/account/vehicles/1")
    done = ann.post("/account/vehicles/1/refresh", back="https://evil.example")
    assert done.headers["Location"].startswith("/account/vehicles/1")


def test_the_provider_in_trouble_is_a_clear_page(ann: Driver) -> None:
    ann.maker.trouble["exchange"] = ProviderError(Trouble.OUTAGE)
    back = ann.come_back(state=ann.leave(), code="c")
    assert "The car maker does not answer" in text_of(back.text)
    assert "No car maker" not in ann.client.get("/account/vehicles").text


def test_a_car_of_somebody_else_is_not_there(ann: Driver) -> None:
    ann.link()
    ann.bridge.add_person("bob", PASSWORD, Role.DRIVER)
    bob = TestClient(ann.app)
    assert log_in(bob, "bob") == 303
    assert "Blue" not in bob.get("/").text
    form = form_token_in(bob.get("/account/vehicles/connect").text)
    assert bob.get("/account/vehicles/1").status_code == 404
    for what in ("refresh", "disconnect", "remove", "connect"):
        data = {"form": form, "provider": "maker"}
        assert bob.post(f"/account/vehicles/1/{what}", data=data).status_code == 404
    assert ann.client.get("/account/vehicles/1").status_code == 200


def test_a_form_of_another_site_changes_nothing(ann: Driver) -> None:
    ann.link()
    for what in ("refresh", "disconnect", "remove", "connect"):
        assert (
            ann.client.post(f"/account/vehicles/1/{what}", data={"form": "0" * 64, "provider": "maker"}).status_code
            == 403
        )


def test_disconnecting_and_removing(ann: Driver) -> None:
    ann.link()
    assert ann.post("/account/vehicles/1/disconnect").headers["Location"].endswith("said=disconnected")
    assert "Not connected" in text_of(ann.client.get("/account/vehicles/1").text)
    ann.link()
    assert ann.post("/account/vehicles/1/remove").headers["Location"] == "/account/vehicles"
    assert ann.client.get("/account/vehicles/1").status_code == 404


def test_a_maker_that_is_not_in_the_settings_is_refused(ann: Driver) -> None:
    assert ann.post("/account/vehicles/connect", provider="nobody").status_code == 404
    assert ann.client.get("/vehicles/return/nobody?state=x&code=c").status_code == 400


def test_the_pages_have_nothing_inline(ann: Driver) -> None:
    ann.link()
    for path in (
        "/account/vehicles",
        "/account/vehicles/1",
        "/account/vehicles/1/connect",
        "/account/vehicles/connect",
    ):
        html = ann.client.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=\"/static/)", html)


def test_a_service_without_any_maker_says_so(bridge: Bridge) -> None:
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    client = bridge.stranger()
    log_in(client)
    assert "No car maker is set up" in text_of(client.get("/account/vehicles").text)
