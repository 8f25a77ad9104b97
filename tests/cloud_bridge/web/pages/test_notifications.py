"""Can a person see and choose their notifications, and is a browser no longer notified after a logout?"""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from cloud_bridge.alerts import delivery
from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.delivery import Means
from cloud_bridge.alerts.errors import NotDelivered, ReceiverGone
from cloud_bridge.alerts.kinds import USUAL, AlertKind
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.alerts import newest_outcomes
from cloud_bridge.store.database import open_database
from cloud_bridge.store.people import SESSION_MS, find_person
from cloud_bridge.store.subscriptions import Via, subscriptions_of
from cloud_bridge.store.tables import alerts, people, push_browsers
from tests.cloud_bridge.alerting import Journal, notice_and_send
from tests.cloud_bridge.alerts.browsers import PushedBrowser
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.people import PASSWORD, Visitor, unit_of
from tests.cloud_bridge.running import Bridge, HandClock, Unit, store_at

PATH = "/account/notifications"
MAIL = "mailto://mail.example"


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    return unit_of(bridge, "dora")


@pytest.fixture
def dora(bridge: Bridge, unit: Unit) -> Visitor:
    return Visitor(bridge, "dora")


@pytest.fixture
def letters(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Collect (address, text) of letters from now on. The pages also have the mail server's setting."""
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(delivery, "send_mail", lambda _server, address, words, *_: sent.append((address, words)))
    app: Any = bridge.client.app
    settings = replace(bridge.app_state.settings, mail=MAIL)
    app.state.bridge = replace(bridge.app_state, settings=settings)
    return sent


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Collect (endpoint, text, path) of push messages from now on."""
    sent: list[tuple[str, str, str]] = []
    monkeypatch.setattr(
        delivery, "send", lambda _key, target, notice, _now: sent.append((target.endpoint, notice.words, notice.path))
    )
    return sent


def has_address(bridge: Bridge, name: str) -> None:
    with bridge.app_state.database.writing() as connection:
        connection.execute(update(people).where(people.c.name == name).values(email=f"{name}@example.org"))


def allow(visitor: Visitor, browser: PushedBrowser) -> int:
    """Do what static/push.js does; return the status."""
    form = visitor.client.get(f"{PATH}/push-key").json()["form"]
    return visitor.client.post(f"{PATH}/browsers", data={"form": form} | browser.fields).status_code


def alarm_of(bridge: Bridge, public_url: str | None = None) -> Alarm:
    means = Means(MAIL, public_url, bridge.app_state.push_key)
    return Alarm(bridge.app_state.database, bridge.clock, means, bridge.app_state.counters)


def stored(bridge: Bridge) -> list[str]:
    """Return the endpoints of the browsers that are notified."""
    with bridge.app_state.database.reading() as connection:
        return list(connection.execute(select(push_browsers.c.endpoint_secret).order_by(push_browsers.c.id)).scalars())


def kinds_of(bridge: Bridge, via: Via, name: str = "dora") -> set[AlertKind]:
    with bridge.app_state.database.reading() as connection:
        return {one.about for one in subscriptions_of(connection, find_person(connection, name)) if one.via is via}


def boxes(html: str, via: str) -> dict[str, bool]:
    """Return by kind whether its box is ticked."""
    found = re.findall(rf'<input type="checkbox" name="{via}" value="(\w+)" aria-label="[^"]*"( checked)?>', html)
    return {kind: bool(checked) for kind, checked in found}


# --- the usual, and choosing ------------------------------------------------------------------------------------------


def test_a_driver_with_an_address_is_told_the_usual_by_letter(
    bridge: Bridge, unit: Unit, dora: Visitor, letters: list[tuple[str, str]]
) -> None:
    assert "give your account an" in dora.get(PATH)
    has_address(bridge, "dora")
    shown = boxes(dora.get(PATH), "email")
    assert {kind for kind, ticked in shown.items() if ticked} == {kind.value for kind in USUAL}
    Journal(unit, "home-1").raised("diode")
    notice_and_send(alarm_of(bridge, "https://example.org/chargers"))
    ((address, words),) = letters
    assert address == "dora@example.org"
    assert "red light" in words
    assert "https://example.org/chargers/charge-points/home-1" in words
    assert words.endswith("Choose what we write to you about: https://example.org/chargers/account/notifications")


def test_what_is_switched_off_stays_off_and_nothing_else_changes(
    bridge: Bridge, unit: Unit, dora: Visitor, letters: list[tuple[str, str]]
) -> None:
    has_address(bridge, "dora")
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', dora.get(PATH)))
    assert hidden["way"] == "email", "no column for devices that there are none of"
    chosen = ["silent", "back", "trouble", "incident"]
    answer = dora.client.post(f"{PATH}/choice", data={"form": hidden["form"], "way": "email", "email": chosen})
    assert "Saved." in answer.text
    assert kinds_of(bridge, Via.EMAIL) == {AlertKind.SILENT, AlertKind.BACK, AlertKind.TROUBLE}, "no incidents"
    Journal(unit, "home-1").raised("diode")
    notice_and_send(alarm_of(bridge))
    assert letters == []
    dora.client.post(f"{PATH}/choice", data={"form": hidden["form"], "way": "email"})
    notice_and_send(alarm_of(bridge))
    assert kinds_of(bridge, Via.EMAIL) == set(), "nothing is a choice too"
    assert not any(boxes(dora.get(PATH), "email").values())


def test_removing_one_of_the_usual_keeps_the_others(
    bridge: Bridge, dora: Visitor, letters: list[tuple[str, str]]
) -> None:
    has_address(bridge, "dora")
    alarm_of(bridge).notice()
    with bridge.app_state.database.reading() as connection:
        owned = subscriptions_of(connection, find_person(connection, "dora"))
    done = next(one for one in owned if one.about is AlertKind.DONE)
    dora.post(f"{PATH}/{done.id}/remove", PATH)
    alarm_of(bridge).notice()
    assert kinds_of(bridge, Via.EMAIL) == set(USUAL) - {AlertKind.DONE}


@pytest.mark.parametrize("role", [Role.INSTALLER, Role.SUPPORT])
def test_nobody_but_drivers_is_written_to_unasked(bridge: Bridge, role: Role) -> None:
    bridge.add_person("ina", PASSWORD, role)
    has_address(bridge, "ina")
    alarm_of(bridge).notice()
    assert kinds_of(bridge, Via.EMAIL, "ina") == set()


def test_where_no_mail_is_sent_nobody_is_subscribed_to_letters(bridge: Bridge, dora: Visitor) -> None:
    has_address(bridge, "dora")
    Alarm(bridge.app_state.database, bridge.clock, None).notice()
    assert kinds_of(bridge, Via.EMAIL) == set()
    assert boxes(dora.get(PATH), "email") == {}


# --- browsers ---------------------------------------------------------------------------------------------------------


def test_every_browser_of_a_person_is_told_the_usual(
    bridge: Bridge, unit: Unit, dora: Visitor, pushed: list[tuple[str, str, str]]
) -> None:
    phone, desk = PushedBrowser("https://push.example/1"), PushedBrowser("https://push.example/2")
    assert allow(dora, phone) == 204
    assert allow(Visitor(bridge, "dora"), desk) == 204
    assert boxes(dora.get(PATH), "browser")["fault"]
    Journal(unit, "home-1").raised("diode")
    notice_and_send(alarm_of(bridge))
    assert sorted(one[0] for one in pushed) == [phone.endpoint, desk.endpoint]
    assert {one[2] for one in pushed} == {"/charge-points/home-1"}
    page = dora.read(PATH)
    assert (page.count("This device , since"), page.count("Another device, since")) == (1, 1)


def test_a_browser_that_subscribes_again_is_told_once(
    bridge: Bridge, dora: Visitor, pushed: list[tuple[str, str, str]]
) -> None:
    for number in range(3):
        assert allow(dora, PushedBrowser(f"https://push.example/{number}")) == 204
    assert stored(bridge) == ["https://push.example/2"]
    assert allow(Visitor(bridge, "eve", Role.DRIVER), PushedBrowser("https://push.example/2")) == 204
    assert len(stored(bridge)) == 1, "one browser profile, whoever has logged in there last"


@pytest.mark.parametrize("way", ["log out", "end others", "password", "another person", "remove"])
def test_a_browser_that_is_left_is_not_notified_any_more(
    bridge: Bridge, unit: Unit, dora: Visitor, pushed: list[tuple[str, str, str]], way: str
) -> None:
    phone = Visitor(bridge, "dora")
    assert allow(phone, PushedBrowser()) == 204
    if way == "log out":
        phone.post("/logout", "/account")
    elif way == "end others":
        dora.post("/account/sessions/end-others", "/account/sessions")
    elif way == "password":
        dora.post("/account/password", old=PASSWORD, new="four words are fine")
    elif way == "another person":
        bridge.add_person("eve", PASSWORD, Role.DRIVER)
        phone.client.cookies.delete("chargekeeper_session")
        phone.post("/login", name="eve", password=PASSWORD)
    else:
        dora.post(f"{PATH}/browsers/1/remove", PATH)
    assert stored(bridge) == []
    Journal(unit, "home-1").raised("diode")
    notice_and_send(alarm_of(bridge))
    assert pushed == []


def test_a_login_that_is_merely_over_and_a_new_one_end_nothing(bridge: Bridge, dora: Visitor) -> None:
    allow(dora, PushedBrowser())
    bridge.clock.advance(SESSION_MS + DAY_MS)
    assert stored(bridge) == [PushedBrowser().endpoint]
    dora.post("/login", name="dora", password=PASSWORD)
    assert stored(bridge) == [PushedBrowser().endpoint]
    assert "This device , since" in dora.read(PATH)


def test_no_account_has_more_than_ten_browsers(bridge: Bridge, dora: Visitor) -> None:
    for number in range(11):
        allow(Visitor(bridge, "dora"), PushedBrowser(f"https://push.example/{number}"))
        bridge.clock.advance(MINUTE_MS)
    assert len(stored(bridge)) == 10
    assert "https://push.example/10" in stored(bridge)


def test_a_browser_of_somebody_else_is_not_removed(bridge: Bridge, dora: Visitor) -> None:
    allow(dora, PushedBrowser())
    eve = Visitor(bridge, "eve", Role.DRIVER)
    assert eve.post(f"{PATH}/browsers/1/remove", PATH).status_code == 404
    assert len(stored(bridge)) == 1


def test_a_hostile_browser_is_refused(bridge: Bridge, dora: Visitor) -> None:
    assert allow(dora, PushedBrowser("https://127.0.0.1/inside")) == 422
    assert allow(dora, PushedBrowser("https://push.example/" + "x" * 1000)) == 413
    form = dora.client.get(f"{PATH}/push-key").json()["form"]
    assert dora.client.post(f"{PATH}/browsers", data={"form": form}).status_code == 422
    assert dora.client.post(f"{PATH}/browsers", data={"form": "x" * 64} | PushedBrowser().fields).status_code == 403
    assert stored(bridge) == []


def test_a_browser_that_its_push_service_knows_no_more_is_forgotten(
    bridge: Bridge, unit: Unit, dora: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise ReceiverGone("gone", 410)

    monkeypatch.setattr(delivery, "send", gone)
    allow(dora, PushedBrowser())
    Journal(unit, "home-1").raised("diode")
    notice_and_send(alarm_of(bridge))
    assert stored(bridge) == []
    assert bridge.counter("browsers_gone") == 1
    with bridge.app_state.database.reading() as connection:
        assert list(connection.execute(select(alerts.c.due_ms)).scalars()) == [None]
        (outcome,) = newest_outcomes(connection, find_person(connection, "dora").id).values()
    assert outcome.trouble == "", "nothing that anybody would have to mend"


def test_a_busy_push_service_is_left_alone_as_long_as_it_asks_and_the_budget_holds(
    bridge: Bridge, unit: Unit, dora: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def busy(*_: object) -> None:
        tried.append(bridge.clock.now_ms())
        raise NotDelivered("it answered 429", 429, HOUR_MS)

    monkeypatch.setattr(delivery, "send", busy)
    allow(dora, PushedBrowser())
    Journal(unit, "home-1").raised("diode")
    alarm = alarm_of(bridge)
    for _ in range(200):
        notice_and_send(alarm)
        bridge.clock.advance(10 * MINUTE_MS)
    waits = [later - earlier for earlier, later in zip(tried, tried[1:], strict=False)]
    assert waits == [HOUR_MS, HOUR_MS, HOUR_MS, 2 * HOUR_MS, 6 * HOUR_MS]
    assert bridge.counter("alerts_given_up") == 1
    assert "My devices: the last message was not delivered: it answered 429. It was given up after 6 tries." in (
        re.sub(" :", ":", dora.read(PATH))
    )


def test_what_is_kept_of_a_browser_is_handed_out_without_its_keys_and_erased(bridge: Bridge, dora: Visitor) -> None:
    browser = PushedBrowser()
    allow(dora, browser)
    told = dora.post("/account/data/export", "/account/data")
    (row,) = json.loads(told.text)["push_browsers"]
    assert row == {"id": 1, "person_id": row["person_id"], "since_ms": row["since_ms"], "host": "hooks.example"}
    for secret in browser.fields.values():
        assert secret not in told.text
    dora.post("/account/data/erase", "/account/data", password=PASSWORD)
    assert stored(bridge) == []


def test_an_address_without_tls_says_why_no_device_can_be_notified(bridge: Bridge, dora: Visitor) -> None:
    assert 'id="push"' in dora.get(PATH), "this machine"
    app: Any = bridge.client.app
    settings = replace(bridge.app_state.settings, public_url="http://chargers.example")
    app.state.bridge = replace(bridge.app_state, settings=settings)
    dora.client.base_url = "http://chargers.example"
    page = dora.client.get(PATH, headers={"Cookie": "; ".join(f"{k}={v}" for k, v in dora.client.cookies.items())}).text
    assert "browsers allow it only over an encrypted connection" in page
    assert 'id="push"' not in page


# --- the migration ----------------------------------------------------------------------------------------------------


def test_who_has_chosen_before_keeps_exactly_that(tmp_path: Path) -> None:
    """Ann has chosen one kind by letter, and Ben a webhook; Cleo has never opened the page."""
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0026")
    with before.writing() as connection:
        for name in ("ann", "ben", "cleo"):
            row = {
                "name": name,
                "password_hash": "x",
                "role": "driver",
                "created_ms": 0,
                "email": f"{name}@example.org",
            }
            columns, values = ", ".join(row), ", ".join(f":{key}" for key in row)
            connection.execute(text(f"INSERT INTO people ({columns}) VALUES ({values})"), row)
        wish = (
            "INSERT INTO alert_wishes (person_id, about, via, target) VALUES (:person_id, 'weak_signal', :via, :target)"
        )
        connection.execute(text(wish), {"person_id": 1, "via": "email", "target": ""})
        connection.execute(text(wish), {"person_id": 2, "via": "webhook", "target": "https://hooks.example/x"})
    before.close()
    now = open_database(where)
    Alarm(now, HandClock(), Means(MAIL)).notice()
    with now.reading() as connection:
        found = {
            name: {(one.about, one.via) for one in subscriptions_of(connection, find_person(connection, name))}
            for name in ("ann", "ben", "cleo")
        }
    now.close()
    assert found == {
        "ann": {(AlertKind.WEAK_SIGNAL, Via.EMAIL)},
        "ben": {(AlertKind.WEAK_SIGNAL, Via.WEBHOOK)},
        "cleo": {(kind, Via.EMAIL) for kind in USUAL},
    }
