"""Can a person log in from a known browser while others guess the password, and does its cookie give nothing else?"""

from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from cloud_bridge.passwords import PasswordTurns
from cloud_bridge.store.access import Role
from cloud_bridge.store.known_devices import DEVICES_MAX
from cloud_bridge.store.tables import known_devices
from cloud_bridge.web.security.attempts import Attempts, login_limits
from cloud_bridge.web.security.second_factor import DEVICE_COOKIE
from tests.cloud_bridge.people import PASSWORD, Visitor
from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.web.security.test_second_factor import command
from tests.cloud_bridge.web.test_pages import form_token_in, log_in
from tests.cloud_bridge.web.test_public_address import log_in as log_in_at
from tests.cloud_bridge.web.test_public_address import set_address

OWN_GUESSES = 8


@pytest.fixture
def ann(bridge: Bridge) -> TestClient:
    """Ann's browser, in which she has logged in and out."""
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    bridge.add_person("ben", PASSWORD, Role.DRIVER)
    browser = bridge.stranger()
    assert log_in(browser) == 303
    browser.post("/logout", data={"form": form_token_in(browser.get("/account").text)})
    return browser


def guess_from_everywhere(bridge: Bridge) -> None:
    """Guess from many addresses, until nobody can log in as ann, not even from ann's address."""
    app: Any = bridge.client.app
    attempts: Attempts = app.state.attempts
    for number in range(250):
        attempts.failed(login_limits("ann", f"10.0.{number}.1"), bridge.clock.now_ms())
    for _ in range(60):
        attempts.failed(login_limits("ann", "testclient"), bridge.clock.now_ms())


def device_only(bridge: Bridge, cookie: str) -> TestClient:
    """Return a browser that only has a copy of the cookie."""
    browser = bridge.stranger()
    browser.cookies.set(DEVICE_COOKIE, cookie)
    return browser


def count(bridge: Bridge) -> int:
    with bridge.app_state.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(known_devices)).scalar_one())


def test_guesses_from_everywhere_lock_out_strangers_and_not_her_browser(bridge: Bridge, ann: TestClient) -> None:
    guess_from_everywhere(bridge)
    assert log_in(bridge.stranger()) == 429
    assert log_in(ann, "ANN") == 303, "however she types her name"


def test_a_stolen_cookie_alone_gives_nothing_and_has_a_brake_of_its_own(bridge: Bridge, ann: TestClient) -> None:
    thief = device_only(bridge, ann.cookies[DEVICE_COOKIE])
    for path in ("/", "/account", "/charge-points/home-1"):
        assert thief.get(path, follow_redirects=False).status_code == 303
    assert thief.get("/api/charge-points").status_code == 401
    statuses = [log_in(thief, password="guess") for _ in range(OWN_GUESSES + 2)]
    assert statuses == [401] * OWN_GUESSES + [429] * 2
    bridge.clock.advance(2 * 60_000)
    assert log_in(thief, password="guess") == 401, "an allowance that comes back"


def test_it_speaks_for_its_own_person_alone(bridge: Bridge, ann: TestClient) -> None:
    app: Any = bridge.client.app
    for _ in range(60):
        app.state.attempts.failed(login_limits("ben", "testclient"), bridge.clock.now_ms())
    assert log_in(ann, "ben") == 429
    assert log_in(ann, "nobody") == 429


@pytest.mark.parametrize("cookie", ["", "x", "0" * 43, "x" * 5000])
def test_a_cookie_that_is_none_of_ours_is_a_stranger_s(bridge: Bridge, ann: TestClient, cookie: str) -> None:
    guess_from_everywhere(bridge)
    assert log_in(device_only(bridge, cookie)) == 429


def test_it_is_new_with_every_login_and_stored_as_a_hash(bridge: Bridge, ann: TestClient) -> None:
    before = ann.cookies[DEVICE_COOKIE]
    assert log_in(ann) == 303
    after = ann.cookies[DEVICE_COOKIE]
    assert after != before and count(bridge) == 1
    guess_from_everywhere(bridge)
    assert log_in(device_only(bridge, before)) == 429
    with bridge.app_state.database.reading() as connection:
        assert after not in str(connection.execute(select(known_devices)).all())


def test_an_account_has_a_bounded_number_and_the_newest_stay(bridge: Bridge, ann: TestClient) -> None:
    first, browsers = ann.cookies[DEVICE_COOKIE], []
    for _ in range(DEVICES_MAX):
        bridge.clock.advance(1000)
        browsers.append(bridge.stranger())
        assert log_in(browsers[-1]) == 303
    assert count(bridge) == DEVICES_MAX
    guess_from_everywhere(bridge)
    assert log_in(device_only(bridge, first)) == 429
    assert log_in(browsers[0]) == 303


def test_it_ends_with_a_new_password_typed_or_on_the_command_line(bridge: Bridge) -> None:
    here, there = Visitor(bridge, "ann", Role.DRIVER), Visitor(bridge, "ann")
    before, other = here.client.cookies[DEVICE_COOKIE], there.client.cookies[DEVICE_COOKIE]
    assert here.post("/account/password", old=PASSWORD, new="nine purple teapots sing").status_code == 200
    assert count(bridge) == 1, "this browser goes on"
    guess_from_everywhere(bridge)
    for cookie in (before, other):
        assert log_in(device_only(bridge, cookie), password="nine purple teapots sing") == 429
    assert log_in(here.client, password="nine purple teapots sing") == 303
    assert command(bridge, "user", "password", "ann") == 0
    assert count(bridge) == 0


def test_it_ends_with_its_session_when_that_is_ended_from_elsewhere(bridge: Bridge) -> None:
    here, lost, other = Visitor(bridge, "ann", Role.DRIVER), Visitor(bridge, "ann"), Visitor(bridge, "ann")
    shown = here.get("/account/sessions")
    ids = [part[:16] for part in shown.split("/account/sessions/")[1:] if part[16:20] == "/end"]
    assert here.post(f"/account/sessions/{ids[0]}/end", "/account/sessions").status_code == 200
    assert count(bridge) == 2
    here.post("/account/sessions/end-others", "/account/sessions")
    assert count(bridge) == 1
    guess_from_everywhere(bridge)
    for visitor in (lost, other):
        assert log_in(visitor.client) == 429
    assert log_in(here.client) == 303


def test_ending_all_others_ends_devices_where_nobody_is_logged_in(bridge: Bridge, ann: TestClient) -> None:
    here = Visitor(bridge, "ann")
    here.post("/account/sessions/end-others", "/account/sessions")
    guess_from_everywhere(bridge)
    assert log_in(ann) == 429


def test_over_tls_a_neighbour_of_the_domain_cannot_plant_one(bridge: Bridge) -> None:
    url = "https://example.org"
    set_address(bridge, url)
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    answer = log_in_at(TestClient(bridge.client.app, base_url=url), url, "ann")
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if "chargekeeper_device" in one]
    assert cookie.startswith("__Host-chargekeeper_device=")
    for part in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert part in cookie


def test_who_has_guessed_too_often_takes_nobodys_turn_to_hash(
    bridge: Bridge, ann: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were once refused after waiting, so a crowd of them delayed everybody else."""

    def never(*_: Any) -> Any:
        raise AssertionError("a turn was taken")

    guess_from_everywhere(bridge)
    monkeypatch.setattr(PasswordTurns, "turn", never)
    assert log_in(bridge.stranger()) == 429


def test_a_guess_that_found_no_place_counts_as_none(bridge: Bridge) -> None:
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloud_bridge.passwords.MAX_WAITING", 0)
        assert [log_in(bridge.stranger()) for _ in range(20)] == [429] * 20
    assert log_in(bridge.stranger()) == 303
