"""Do the pages show a driver at a glance when the charger was last heard, and what to do?"""

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.errors import SettingError
from cloud_bridge.store.people import Role
from cloud_bridge.web import static_files
from cloud_bridge.web.presentation.words import LIMITS
from tests.cloud_bridge.authenticator import pass_second_factor
from tests.cloud_bridge.running import Bridge, Unit, sample
from tests.wire_schema import SCHEMA, bounds

PASSWORD = "correct horse"
HEARTBEAT = "cp/home-1/heartbeat"


def form_token_in(html: str) -> str:
    found = re.search(r'name="form" value="([0-9a-f]{64})"', html)
    assert found, html
    return found[1]


def log_in(client: TestClient, name: str = "ann", password: str = PASSWORD) -> int:
    form = form_token_in(client.get("/login").text)
    data = {"name": name, "password": password, "form": form}
    answer = client.post("/login", data=data, follow_redirects=False)
    pass_second_factor(client, answer, name)
    return answer.status_code


@pytest.fixture
def browser(bridge: Bridge) -> Iterator[TestClient]:
    """The browser of Ann, an operator, who is logged in."""
    bridge.add_person("ann", PASSWORD, Role.OPERATOR)
    client = bridge.stranger()
    assert log_in(client) == 303
    yield client


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    return Unit(bridge, "home-1", bridge.add_unit("home-1").secret).connect()


def text_of(html: str) -> str:
    """Return the visible text, with spaces collapsed."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_last_contacted_is_the_first_thing_on_the_dashboard(bridge: Bridge, browser: TestClient, unit: Unit) -> None:
    unit.publish("cp/home-1/event", sample("event-boot"))
    unit.publish(HEARTBEAT, sample("heartbeat-charging"))
    bridge.clock.advance(3 * MINUTE_MS)
    html = browser.get("/charge-points/home-1").text
    main = text_of(html[html.index("<main") :])
    assert main.startswith(
        "Last contacted 3 minutes ago Thu 1 Jan 2026, 00:00:00 GMT Next message expected at 00:05 Working Refresh "
        "checked at 00:03:00"
    )
    assert "Charging" in main
    assert "7.4 kW" in main
    assert "good, Vodafone" in main
    assert "Firmware 0.1.0" in main
    assert 'role="alert"' not in html


def test_every_id_on_the_dashboard_is_there_once_and_every_label_leads_to_one(
    bridge: Bridge, browser: TestClient, unit: Unit
) -> None:
    unit.publish(HEARTBEAT, sample("heartbeat-fault"))
    bridge.clock.advance(31 * MINUTE_MS)
    html = browser.get("/").text
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert sorted(ids) == sorted(set(ids))
    assert set(re.findall(r'\saria-labelledby="([^"]+)"', html)) <= set(ids)


def test_refresh_is_a_form_that_reads_again(bridge: Bridge, browser: TestClient, unit: Unit) -> None:
    html = browser.get("/").text
    action = re.search(r'<form class="refresh" method="get" action="([^"]+)"[^>]*>\s*<button>Refresh</button>', html)
    assert action
    assert 'checked at <time datetime="2026-01-01T00:00:00.000Z" data-checked>00:00:00</time>' in html
    bridge.clock.advance(7000)
    assert ">00:00:07</time>" in browser.get(action[1]).text


@pytest.mark.parametrize("name, interval_s", [("heartbeat-idle", 300), ("heartbeat-interval", 60)])
def test_a_message_that_does_not_come_makes_a_charger_late(
    bridge: Bridge, browser: TestClient, unit: Unit, name: str, interval_s: int
) -> None:
    """It was once "Working" and "can be controlled from here" for 30 minutes."""
    unit.publish(HEARTBEAT, sample(name))
    bridge.clock.advance((interval_s + 60) * 1000)
    said = text_of(browser.get("/").text)
    assert "Working" in said and "Late" not in said and "can be controlled from here" in said
    bridge.clock.advance(1)
    said = text_of(browser.get("/").text)
    assert f"Late: expected at 00:0{interval_s // 60}" in said and "Working" not in said
    assert "This is the last it told us, on Thu 1 Jan 2026, 00:00:00 GMT." in said
    assert "can be controlled from here" not in said
    unit.publish(HEARTBEAT, sample("heartbeat-idle").replace(b'"n":41', b'"n":99'))
    bridge.until(lambda: "Working" in text_of(browser.get("/").text), "heard again")


def test_an_event_is_contact_and_no_charger_that_tells_one_is_late(
    bridge: Bridge, browser: TestClient, unit: Unit
) -> None:
    unit.publish(HEARTBEAT, sample("heartbeat-interval"))
    bridge.clock.advance(150_000)
    unit.publish("cp/home-1/event", sample("event-tamper"))
    bridge.until(lambda: "Just now" in text_of(browser.get("/").text), "heard")
    assert "Late" not in text_of(browser.get("/").text)


def test_what_a_silent_charger_did_is_what_was(bridge: Bridge, browser: TestClient, unit: Unit) -> None:
    """It once showed "Charging" and "7.4 kW" for days."""
    unit.publish(HEARTBEAT, sample("heartbeat-charging"))
    assert "Charging" in text_of(browser.get("/").text) and "7.4 kW" in browser.get("/").text
    bridge.clock.advance(31 * MINUTE_MS)
    said = text_of(browser.get("/").text)
    assert "Was charging" in said and "7.4 kW" not in said and "Late" not in said


def test_the_error_appears_after_thirty_minutes_and_says_what_to_do(
    bridge: Bridge, browser: TestClient, unit: Unit
) -> None:
    unit.publish(HEARTBEAT, sample("heartbeat-charging"))
    bridge.clock.advance(30 * MINUTE_MS)
    assert 'role="alert"' not in browser.get("/").text
    bridge.clock.advance(MINUTE_MS)
    html = browser.get("/").text
    assert html.count('role="alert"') == 1
    said = text_of(html)
    for words in (
        "We have not heard from your charger for 31 minutes",
        "goes on as a standard charger",
        "If it is safe to reach, switch the charger off at the consumer unit or its isolator.",
        "Wait 30 seconds .",
        "Switch it on again.",
        "Get help with this charger",
        "This is the last it told us, on Thu 1 Jan 2026, 00:00:00 GMT.",
    ):
        assert words in said
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    bridge.until(lambda: "It is back" in browser.get("/").text, "said that it is back")
    html = browser.get("/").text
    assert 'role="alert"' not in html
    assert "silent for 31 minutes" in text_of(html)
    bridge.clock.advance(30 * MINUTE_MS)
    assert "It is back" not in browser.get("/").text, "no news any more"


def test_a_charger_that_was_never_heard_is_no_error(browser: TestClient, unit: Unit) -> None:
    html = browser.get("/").text
    assert "Never contacted" in text_of(html)
    assert 'role="alert"' not in html


def test_our_own_outage_has_its_own_words(bridge: Bridge, browser: TestClient, unit: Unit) -> None:
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    bridge.send_canary()
    bridge.clock.advance(40 * MINUTE_MS)
    html = browser.get("/").text
    assert "We were not listening" in text_of(html)
    assert "down for 40 minutes" in text_of(html)
    assert 'role="alert"' not in html


def test_a_fault_is_an_error_in_words(browser: TestClient, unit: Unit) -> None:
    unit.publish(HEARTBEAT, sample("heartbeat-fault"))
    html = browser.get("/").text
    assert "Your charger shows a red light" in text_of(html)
    assert "Earth leakage (AC)" in text_of(html)
    assert "Stopped by a fault" in text_of(html)
    assert 'class="light red"' in html


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('"y":"schedule","u":1768215600', "Current limited by Your hours, until Mon 12 Jan, 11:00"),
        ('"y":"installer"', "Current limited by The rating of its circuit"),
        ('"y":"moon"', "Current limited by A limit that we do not know (moon)"),
    ],
)
def test_the_dashboard_says_who_limits_the_current_and_until_when(
    browser: TestClient, unit: Unit, keys: str, words: str
) -> None:
    unit.publish(HEARTBEAT, f'{{"n":1,"b":1,"s":"B1",{keys}}}'.encode())
    assert words in text_of(browser.get("/").text)


def test_a_name_that_we_have_no_words_for_is_never_shown_alone(bridge: Bridge, browser: TestClient, unit: Unit) -> None:
    """From a newer firmware. Support also sees the pilot's state in IEC letters, after the words."""
    names = '"s":"z_new","m":"z_new","y":"z_new","i":["z_new"],"f":["z_new"],"h":["z_new"]'
    unit.publish(HEARTBEAT, f'{{"n":1,"b":1,{names}}}'.encode())
    unit.publish("cp/home-1/session", b'{"n":2,"b":1,"e":1,"y":"z_new"}')
    unit.publish("cp/home-1/event", b'{"n":3,"b":1,"k":"network","d":{"do":"z_new","why":""}}')
    bridge.clock.advance(1)
    pages = ("/", "/fleet", *(f"/charge-points/home-1/{name}" for name in ("history", "support", "jobs")))
    said = " ".join(text_of(browser.get(page).text) for page in pages)
    for what in ("A fault", "A trouble", "A mode", "A limit", "A reason", "A step"):
        assert f"{what} that we do not know (z_new)" in said
    assert said.count("z_new") == said.count("that we do not know (z_new)") + said.count("Stopped by a fault (z_new)")


def test_a_cable_that_is_not_there_limits_nothing(browser: TestClient, unit: Unit) -> None:
    for number, state, is_said in ((1, "A1", False), (2, "B1", True)):
        unit.publish(HEARTBEAT, f'{{"n":{number},"b":1,"s":"{state}","y":"cable"}}'.encode())
        assert ("Current limited by" in text_of(browser.get("/").text)) is is_said


def test_every_source_of_a_limit_has_words() -> None:
    assert list(LIMITS) == bounds(SCHEMA["heartbeat"]["y"])[1]


def test_a_hostile_word_from_a_unit_is_only_text(browser: TestClient, unit: Unit) -> None:
    unit.publish(HEARTBEAT, b'{"n":1,"b":1,"s":"<script>x</script>","o":"<b>","m":"\\"><i>","f":["<u>"]}')
    html = browser.get("/").text
    assert "<script>x" not in html
    assert "&lt;u&gt;" in html
    assert "<b>" not in html


def test_several_chargers_are_listed_with_their_last_contact(bridge: Bridge, browser: TestClient, unit: Unit) -> None:
    bridge.add_unit("home-2")
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    bridge.clock.advance(31 * MINUTE_MS)
    said = text_of(browser.get("/").text)
    assert "home-1 Was ready, no vehicle connected Silent 31 minutes ago home-2 Not known yet Not heard yet" in said


def test_pages_have_nothing_inline_and_nothing_from_elsewhere(browser: TestClient, unit: Unit) -> None:
    for path in ("/", "/login", "/charge-points/nobody"):
        html = browser.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=\"/static/)", html)
        assert not re.search(r"(?:src|href|action)=\"(?![/#])", html)


def test_the_first_view_is_small(browser: TestClient, unit: Unit) -> None:
    """Everything that a phone fetches for the dashboard, in bytes on the wire."""
    unit.publish(HEARTBEAT, sample("heartbeat-charging"))
    files = set(re.findall(rf"{static_files.PATH}/[\w.-]+", browser.get("/").text))
    sizes = {path: wire_bytes(browser, path) for path in ("/", *sorted(files))}
    print(sizes)
    assert sum(sizes.values()) <= 30_000


def test_a_file_of_the_shell_is_asked_for_once(browser: TestClient) -> None:
    """Its path contains a hash of its content, so a cached copy stays valid."""
    answer = browser.get(f"{static_files.PATH}/style.css")
    assert "immutable" in answer.headers["Cache-Control"]
    assert browser.get("/static/000000000000/style.css").status_code == 404
    assert browser.get("/login").headers["Cache-Control"] == "no-store"


def test_pages_without_npm_s_files_say_what_fetches_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(static_files.FILES, "htmx.min.js")
    with pytest.raises(SettingError, match=r"htmx.min.js: `make .venv` fetches"):
        static_files.check()


def wire_bytes(browser: TestClient, path: str) -> int:
    with browser.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        return len(b"".join(answer.iter_raw())) + sum(
            len(name) + len(value) + 4 for name, value in answer.headers.items()
        )


def test_pages_ask_for_a_login(bridge: Bridge) -> None:
    client = bridge.stranger()
    for path, login in (("/", "/login"), ("/charge-points/home-1", "/login?next=/charge-points/home-1")):
        response = client.get(path, follow_redirects=False)
        assert (response.status_code, response.headers["Location"]) == (303, login)


@pytest.mark.parametrize("next", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "/\n/x"])
def test_nobody_is_sent_elsewhere_after_logging_in(bridge: Bridge, next: str) -> None:
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    client = bridge.stranger()
    data = {"name": "ann", "password": PASSWORD, "form": form_token_in(client.get("/login").text), "next": next}
    assert client.post("/login", data=data, follow_redirects=False).headers["Location"] == "/"


def test_a_wrong_password_and_an_unknown_name_look_the_same(bridge: Bridge) -> None:
    bridge.add_person("ann", PASSWORD, Role.OPERATOR)
    pages = []
    for name, password in (("ann", "guess"), ("bob", PASSWORD)):
        client = bridge.stranger()
        form = form_token_in(client.get("/login").text)
        response = client.post("/login", data={"name": name, "password": password, "form": form})
        assert response.status_code == 401
        pages.append(text_of(response.text))
    assert pages[0] == pages[1]


def test_a_form_of_another_site_is_refused(bridge: Bridge, browser: TestClient) -> None:
    for data in ({}, {"form": "0" * 64}):
        assert browser.post("/logout", data=data).status_code in (403, 422)
        assert browser.get("/", follow_redirects=False).status_code == 200, "still logged in"
    stranger = bridge.stranger()
    data = {"name": "ann", "password": PASSWORD, "form": "0" * 64}
    assert stranger.post("/login", data=data).status_code == 403


def test_logging_out_ends_the_session_on_our_side_too(browser: TestClient) -> None:
    html = browser.get("/account").text
    cookie = browser.cookies["chargekeeper_session"]
    assert browser.post("/logout", data={"form": form_token_in(html)}, follow_redirects=False).status_code == 303
    browser.cookies.set("chargekeeper_session", cookie)
    assert browser.get("/", follow_redirects=False).status_code == 303


def test_a_session_ends_after_a_month(bridge: Bridge, browser: TestClient) -> None:
    bridge.clock.advance(30 * 24 * 60 * MINUTE_MS)
    assert browser.get("/", follow_redirects=False).status_code == 303


def test_a_session_is_good_for_the_interface(bridge: Bridge, browser: TestClient, unit: Unit) -> None:
    assert browser.get("/api/charge-points/home-1").status_code == 200


def test_a_driver_sees_no_charger_that_is_not_theirs(bridge: Bridge, unit: Unit) -> None:
    bridge.add_person("dan", PASSWORD, Role.DRIVER)
    client = bridge.stranger()
    assert log_in(client, "dan") == 303
    assert "home-1" not in client.get("/").text
    assert client.get("/charge-points/home-1").status_code == 404
    assert client.get("/api/charge-points").json() == []
    assert client.get("/api/charge-points/home-1").status_code == 404
