"""Is an operator's password alone useless, does each code count once, and does nobody lose access?"""

import html
import logging
import re
import threading
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import insert, select
from starlette.testclient import TestClient

from cloud_bridge import command_line
from cloud_bridge.cli import user
from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.second_factor import RECOVERY_CODES, new_recovery_codes, normal
from cloud_bridge.store.access import Role
from cloud_bridge.store.database import open_database
from cloud_bridge.store.people import change_role, find_person
from cloud_bridge.store.secrets import hash_of
from cloud_bridge.store.security_events import Kind, newest_security_events
from cloud_bridge.store.tables import metadata, pending_logins, people, tokens
from cloud_bridge.totp import STEP_S
from cloud_bridge.vehicles.__main__ import rotate_key
from cloud_bridge.web.security.attempts import CODES_OF_A_DAY
from cloud_bridge.web.security.second_factor import DEVICE_COOKIE, PENDING_COOKIE
from tests.cloud_bridge.authenticator import code_of, hidden_in, key_in, recovery_codes_in
from tests.cloud_bridge.people import PASSWORD, Visitor, text_of
from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.web.test_theirs_only import EVERYBODY, routes

STEP_MS = STEP_S * 1000
OF_THE_LOGIN = {"/login/code", "/login/second-factor", "/login/cancel"}


class Operator:
    """Olga with her password, her app, and one browser after the other."""

    def __init__(self, bridge: Bridge, role: Role = Role.OPERATOR) -> None:
        bridge.add_person("olga", PASSWORD, role)
        self.bridge, self.key = bridge, ""
        self.codes: list[str] = []

    @property
    def code(self) -> str:
        return code_of(self.key, self.bridge.clock.now_ms())

    def password(self, browser: TestClient | None = None, next: str = "/") -> TestClient:
        """Return a browser in which the password was typed, before the next question."""
        browser = browser or self.bridge.stranger()
        fields = hidden_in(browser.get("/login", params={"next": next}).text)
        answer = browser.post("/login", data=fields | {"name": "olga", "password": PASSWORD}, follow_redirects=False)
        assert answer.status_code == 303
        return browser

    def set_up(self) -> TestClient:
        browser = self.password()
        shown = browser.get("/login/second-factor").text
        self.key = key_in(shown)
        answer = browser.post("/login/second-factor", data=hidden_in(shown) | {"code": self.code})
        assert answer.status_code == 200
        self.codes = recovery_codes_in(answer.text)
        return browser

    def types(self, browser: TestClient, code: str, **fields: str) -> Response:
        shown = browser.get("/login/code").text
        return browser.post("/login/code", data=hidden_in(shown) | {"code": code} | fields, follow_redirects=False)

    def wait(self, steps: int = 1) -> None:
        self.bridge.clock.advance(steps * STEP_MS)


@pytest.fixture
def olga(bridge: Bridge) -> Operator:
    return Operator(bridge)


def is_in(browser: TestClient) -> bool:
    return browser.get("/security", follow_redirects=False).status_code == 200


def stored(bridge: Bridge) -> list[tuple[str, str | None, str]]:
    bridge.app_state.security_log.write()
    with bridge.app_state.database.reading() as connection:
        return [(row.kind, row.name, row.about) for row in reversed(newest_security_events(connection))]


def test_an_operator_sets_it_up_at_the_next_login_and_types_a_code_at_each_after_it(olga: Operator) -> None:
    browser = olga.password()
    assert not is_in(browser)
    assert is_in(olga.set_up())
    assert len(olga.codes) == RECOVERY_CODES
    olga.wait()
    later = olga.password(next="/security?kind=logged_in")
    assert not is_in(later)
    shown = later.get("/login/code", params={"next": "/security?kind=logged_in"})
    answer = later.post("/login/code", data=hidden_in(shown.text) | {"code": olga.code}, follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/security?kind=logged_in")
    assert is_in(later)


@pytest.mark.parametrize("is_set_up", [False, True])
def test_a_half_login_reaches_nothing_but_the_code_and_the_way_back(olga: Operator, is_set_up: bool) -> None:
    """On every route, also with its cookie in place of a session's, and with every form's token."""
    if is_set_up:
        olga.set_up()
        olga.wait()
    half = olga.password()
    page = "/login/code" if is_set_up else "/login/second-factor"
    form = hidden_in(half.get(page).text)["form"]
    as_session = olga.bridge.stranger()
    as_session.cookies.set("chargekeeper_session", half.cookies[PENDING_COOKIE])
    stranger = olga.bridge.stranger()
    tried = 0
    for method, path in routes(half):
        if path in EVERYBODY | OF_THE_LOGIN or "/static/" in path or path.startswith("/api/webhooks"):
            continue
        tried += 1
        answers = [
            one.request(method, path, data=None if method == "GET" else {"form": form}, follow_redirects=False)
            for one in (stranger, half, as_session)
        ]
        seen = [(one.status_code, one.headers.get("Location")) for one in answers]
        assert seen[1] == seen[0] and seen[2] == seen[0], f"{method} {path}: {seen}"
        assert "olga" not in answers[1].text and "olga" not in answers[2].text, f"{method} {path}"
    assert tried > 60
    assert half.get("/api/charge-points").status_code == 401
    assert half.get(page).status_code == 200, "and the login is still there"


def test_nobody_comes_to_the_code_without_the_password(olga: Operator) -> None:
    olga.set_up()
    stranger = olga.bridge.stranger()
    for path in ("/login/code", "/login/second-factor"):
        assert stranger.get(path, follow_redirects=False).headers["Location"] == "/login"
        answer = stranger.post(path, data={"form": "0" * 64, "code": olga.code, "new": "x"}, follow_redirects=False)
        assert answer.headers["Location"] == "/login"


def test_a_form_of_another_site_is_refused(olga: Operator) -> None:
    olga.set_up()
    olga.wait()
    half = olga.password()
    for form in ("x", "0" * 64):
        assert half.post("/login/code", data={"form": form, "code": olga.code}).status_code == 403
    assert not is_in(half)


def test_a_code_counts_once_also_in_its_neighbours_half_minutes(olga: Operator) -> None:
    """Whoever looks over her shoulder has the password and the present code."""
    olga.set_up()
    first_used = olga.code
    olga.wait()
    code = olga.code
    mallory, her = olga.password(), olga.password()
    assert olga.types(mallory, first_used).status_code == 401, "the code that set it up"
    assert olga.types(her, code).status_code == 303
    for _ in range(2):
        assert olga.types(mallory, code).status_code == 401
        olga.wait()
    assert not is_in(mallory)


def test_of_two_at_once_with_one_code_one_gets_in(olga: Operator) -> None:
    olga.set_up()
    olga.wait()
    browsers = [olga.password() for _ in range(4)]
    forms = [hidden_in(one.get("/login/code").text) | {"code": olga.code} for one in browsers]
    start, statuses = threading.Barrier(len(browsers)), []

    def send(browser: TestClient, form: dict[str, str]) -> None:
        start.wait()
        statuses.append(browser.post("/login/code", data=form, follow_redirects=False).status_code)

    threads = [threading.Thread(target=send, args=pair) for pair in zip(browsers, forms, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, 401, 401, 401]


def test_a_clock_that_is_set_back_makes_no_code_count_again(olga: Operator) -> None:
    olga.set_up()
    for _ in range(5):
        olga.wait()
        code = olga.code
        assert olga.types(olga.password(), code).status_code == 303
    olga.wait(-2)
    assert olga.types(olga.password(), olga.code).status_code == 401
    olga.wait(2)
    assert olga.types(olga.password(), code).status_code == 401


def test_a_clock_that_was_ahead_and_is_put_right_locks_nobody_out(olga: Operator) -> None:
    """With only the last step stored, every code would be refused until that time."""
    olga.set_up()
    olga.bridge.clock.advance(DAY_MS)
    assert olga.types(olga.password(), olga.code).status_code == 303
    olga.bridge.clock.advance(-DAY_MS + STEP_MS)
    assert olga.types(olga.password(), olga.code).status_code == 303


def test_with_a_wrong_clock_the_page_shows_it_and_a_recovery_code_works(olga: Operator) -> None:
    olga.set_up()
    olga.wait()
    of_the_true_time = olga.code
    olga.bridge.clock.advance(3600_000)
    browser = olga.password()
    answer = olga.types(browser, of_the_true_time)
    assert answer.status_code == 401
    assert "Our clock shows 1 Jan 2026, 01:00:30 UTC" in text_of(answer.text)
    assert olga.types(browser, olga.codes[0]).status_code == 303
    assert is_in(browser)


def test_a_recovery_code_counts_once_however_it_is_typed(olga: Operator) -> None:
    olga.set_up()
    typed = f" {olga.codes[0].lower().replace('-', ' ')} "
    assert olga.types(olga.password(), typed).status_code == 303
    assert olga.types(olga.password(), olga.codes[0]).status_code == 401
    assert (Kind.RECOVERY_CODE_USED, "olga", f"{RECOVERY_CODES - 1} left") in stored(olga.bridge)


def test_guesses_at_the_code_are_braked_by_the_quarter_hour_and_by_the_day(olga: Operator) -> None:
    """From many browsers, in any number at once: guessing a million codes takes centuries."""
    olga.set_up()
    olga.wait(5)
    statuses = [olga.types(olga.password(), "x").status_code for _ in range(10)]
    assert statuses == [401] * 8 + [429] * 2
    wrong = 8
    for _ in range(DAY_MS // (15 * MINUTE_MS)):
        olga.bridge.clock.advance(15 * MINUTE_MS)
        mallory = olga.password()
        while olga.types(mallory, "x").status_code == 401:
            wrong += 1
    assert wrong <= 2 * CODES_OF_A_DAY
    events = [kind for kind, _, _ in stored(olga.bridge)]
    assert Kind.WRONG_CODE in events and Kind.TOO_MANY_CODES in events


def test_a_waiting_login_is_over_after_some_minutes_with_a_new_password_and_when_it_is_left(olga: Operator) -> None:
    olga.set_up()
    olga.wait()
    late = olga.password()
    olga.bridge.clock.advance(11 * MINUTE_MS)
    assert late.get("/login/code", follow_redirects=False).headers["Location"] == "/login"
    left = olga.password()
    left.post("/login/cancel", data={"form": hidden_in(left.get("/login/code").text)["form"]})
    assert left.get("/login/code", follow_redirects=False).headers["Location"] == "/login"
    caught = olga.password()
    cookie = caught.cookies[PENDING_COOKIE]
    command(olga.bridge, "user", "password", "olga")
    assert caught.get("/login/code", follow_redirects=False).headers["Location"] == "/login"
    with olga.bridge.app_state.database.reading() as connection:
        assert connection.execute(select(pending_logins)).all() == []
    assert cookie not in str(dump(olga.bridge))


def test_a_secret_that_somebody_else_has_seen_is_not_confirmed(olga: Operator) -> None:
    """Mallory knows the password, opens the page first, and hopes that olga uses that secret."""
    mallory, her = olga.password(), olga.password()
    seen, shown = mallory.get("/login/second-factor").text, her.get("/login/second-factor").text
    assert key_in(seen) != key_in(shown)
    planted = hidden_in(shown) | {"new": hidden_in(seen)["new"]}
    planted["code"] = code_of(key_in(seen), olga.bridge.clock.now_ms())
    assert her.post("/login/second-factor", data=planted).status_code == 403
    for new in (":", "x:y", "0" * 200):
        assert her.post("/login/second-factor", data=planted | {"new": new}).status_code == 403
    fields = hidden_in(shown) | {"code": code_of(key_in(shown), olga.bridge.clock.now_ms())}
    assert her.post("/login/second-factor", data=fields).status_code == 200
    late = hidden_in(seen) | {"code": code_of(key_in(seen), olga.bridge.clock.now_ms())}
    answer = mallory.post("/login/second-factor", data=late, follow_redirects=False)
    assert answer.headers["Location"] == "/login/code", "the first one stays"
    assert not is_in(mallory)


def test_a_wrong_first_code_keeps_the_secret_on_the_page(olga: Operator) -> None:
    browser = olga.password()
    shown = browser.get("/login/second-factor").text
    again = browser.post("/login/second-factor", data=hidden_in(shown) | {"code": "000000"})
    assert (again.status_code, key_in(again.text)) == (401, key_in(shown))


@pytest.mark.parametrize("next", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example"])
def test_nobody_is_sent_elsewhere_after_the_code(olga: Operator, next: str) -> None:
    olga.set_up()
    olga.wait()
    browser = olga.password()
    assert f'value="{html.escape(next)}"' not in browser.get("/login/code", params={"next": next}).text
    assert olga.types(browser, olga.code, next=next).headers["Location"] == "/"


def test_it_is_stored_sealed_and_hashed_and_stands_in_no_log_export_or_address(
    olga: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        browser = olga.set_up()
        code = olga.code
        olga.wait()
        assert olga.types(olga.password(), olga.code).status_code == 303
    account = browser.get("/account/data").text
    exported = browser.post("/account/data/export", data=hidden_in(account)).text
    key = olga.key.replace(" ", "")
    rows, told = dump(olga.bridge), caplog.text + exported + str(stored(olga.bridge))
    for secret in (key, olga.key, code, *olga.codes, *map(normal, olga.codes), browser.cookies[DEVICE_COOKIE]):
        assert secret not in rows and secret not in told
    for name in ("second_factors", "recovery_codes", "known_devices"):
        assert f'"{name}": [' in exported
    assert "sealed" not in exported and "_hash" not in exported


def test_another_persons_secret_does_not_open_as_theirs(olga: Operator) -> None:
    """A row was moved in the database."""
    olga.set_up()
    olga.wait()
    eve = Visitor(olga.bridge, "eve", Role.OPERATOR)
    database = olga.bridge.app_state.database
    with database.writing() as connection:
        table = metadata.tables["second_factors"]
        ids = {name: find_person(connection, name).id for name in ("olga", "eve")}
        row = connection.execute(select(table).where(table.c.person_id == ids["eve"])).one()
        connection.execute(table.update().where(table.c.person_id == ids["olga"]).values(sealed=row.sealed))
    answer = olga.types(olga.password(), olga.code)
    assert answer.status_code == 503
    assert "cannot be checked" in answer.text
    assert eve.client.get("/security").status_code == 200
    assert olga.types(olga.password(), olga.codes[0]).status_code == 303


def test_new_keys_seal_it_anew_and_the_old_one_goes(olga: Operator) -> None:
    olga.set_up()
    settings = olga.bridge.app_state.settings
    source = olga.bridge.app_state.second_factors._source
    before = set(source.keys().keys)
    environment = {"CHARGEKEEPER_DATA": str(settings.folder), "CHARGEKEEPER_DATABASE": settings.database or ""}
    assert "1 second factors" in rotate_key(environment)
    assert not before & set(source.keys().keys)
    olga.wait()
    assert olga.types(olga.password(), olga.code).status_code == 303


def test_whoever_has_the_machine_resets_it_and_every_browser_is_logged_out(olga: Operator) -> None:
    browser = olga.set_up()
    assert command(olga.bridge, "user", "reset-second-factor", "olga") == 0
    assert not is_in(browser)
    anew = olga.password()
    assert anew.get("/login/code", follow_redirects=False).headers["Location"] == "/login/second-factor"
    assert (Kind.SECOND_FACTOR_RESET, "olga", "") in stored(olga.bridge)
    assert command(olga.bridge, "user", "reset-second-factor", "olga") == 1, "there is none"


def test_the_log_tells_who_set_it_up_typed_wrong_codes_and_switched_it_off(olga: Operator) -> None:
    browser = olga.set_up()
    half = olga.password()
    olga.types(half, "000000")
    olga.wait()
    account_form = hidden_in(browser.get("/account/second-factor").text)
    fields = account_form | {"password": PASSWORD, "code": olga.code}
    assert browser.post("/account/second-factor/remove", data=fields).status_code == 200
    assert [(kind, about) for kind, _, about in stored(olga.bridge)] == [
        (Kind.PASSWORD_RIGHT, ""),
        (Kind.SECOND_FACTOR_ADDED, ""),
        (Kind.LOGGED_IN, ""),
        (Kind.PASSWORD_RIGHT, ""),
        (Kind.WRONG_CODE, ""),
        (Kind.SECOND_FACTOR_REMOVED, ""),
    ]
    shown = text_of(browser.get("/security").text)
    assert "Second factor set up" in shown and "Wrong code of the second factor" in shown


@pytest.mark.parametrize("path", ["remove", "recovery-codes"])
def test_an_open_browser_changes_it_only_with_password_and_code(olga: Operator, path: str) -> None:
    browser = olga.set_up()
    olga.wait()
    form = hidden_in(browser.get("/account/second-factor").text)
    target = f"/account/second-factor/{path}"
    for password, code in (("guess", olga.code), (PASSWORD, "000000"), ("guess", "000000")):
        answer = browser.post(target, data=form | {"password": password, "code": code})
        assert answer.status_code == 422
        assert f'id="problem-{"password" if password == "guess" else "code"}"' in answer.text
        assert f'value="{password}"' not in answer.text and f'value="{code}"' not in answer.text
    assert "A code of your authenticator app is asked for" in browser.get("/account/second-factor").text
    before = olga.codes[-1]
    assert browser.post(target, data=form | {"password": PASSWORD, "code": olga.code}).status_code == 200
    assert olga.types(olga.password(), before).status_code != 303 or path == "remove"


@pytest.mark.parametrize("role", [Role.DRIVER, Role.INSTALLER, Role.SUPPORT])
def test_everybody_else_may_have_one(bridge: Bridge, role: Role) -> None:
    sue = Operator(bridge, role)
    browser = sue.password()
    assert "Log out" in browser.get("/account").text, "nothing is asked of them"
    shown = browser.get("/account/second-factor").text
    sue.key = key_in(shown)
    fields = hidden_in(shown) | {"code": sue.code}
    assert browser.post("/account/second-factor", data=fields | {"password": "guess"}).status_code == 422
    done = browser.post("/account/second-factor", data=fields | {"password": PASSWORD})
    sue.codes = recovery_codes_in(done.text)
    assert len(sue.codes) == RECOVERY_CODES
    sue.wait()
    later = sue.password()
    assert later.get("/account", follow_redirects=False).status_code == 303
    assert sue.types(later, sue.code).status_code == 303
    assert "Log out" in later.get("/account").text


def test_who_becomes_an_operator_is_no_operator_without_it(bridge: Bridge) -> None:
    """Otherwise, an older session would get the new rights."""
    dora = Operator(bridge, Role.DRIVER)
    browser = dora.password()
    with bridge.app_state.database.writing() as connection:
        change_role(connection, find_person(connection, "olga"), Role.OPERATOR)
    assert not is_in(browser)
    assert browser.get("/account", follow_redirects=False).status_code == 303
    assert is_in(dora.set_up())


def test_tokens_of_the_interface_need_none(olga: Operator) -> None:
    with olga.bridge.app_state.database.writing() as connection:
        row = {"token_hash": hash_of("t" * 43), "created_ms": 0, "scopes": "read operate"}
        person_id = connection.execute(select(people.c.id)).scalar_one()
        connection.execute(insert(tokens), row | {"person_id": person_id})
    headers = {"Authorization": f"Bearer {'t' * 43}"}
    assert olga.bridge.stranger().get("/metrics", headers=headers).status_code == 200
    olga.set_up()
    assert olga.bridge.stranger().get("/metrics", headers=headers).status_code == 200


def test_the_pages_work_without_scripts(olga: Operator) -> None:
    browser = olga.password()
    olga.set_up()
    for path, one in (("/login/second-factor", browser), ("/login/code", olga.password())):
        page = one.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=\"/static/)", page)
        assert "hx-" not in page


def test_recovery_codes_are_all_different() -> None:
    assert len({code for _ in range(20) for code in new_recovery_codes()}) == 20 * RECOVERY_CODES


def command(bridge: Bridge, *words: str) -> int:
    """Run a command beside the running bridge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARGEKEEPER_DATA", str(bridge.app_state.settings.folder))
        patch.setattr(user, "open_database", lambda _where: open_database(bridge.app_state.settings.store))
        return command_line.main(list(words))


def dump(bridge: Bridge) -> str:
    """Return every row of every table."""
    found: list[Any] = []
    with bridge.app_state.database.reading() as connection:
        for table in metadata.sorted_tables:
            found.extend(connection.execute(select(table)).all())
    return str(found)
