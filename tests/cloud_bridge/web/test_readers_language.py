"""Is each person answered in their language: of the browser, of the account, in stored texts, and on a live stream?"""

import re

import pytest

from cloud_bridge.store.access import Role
from cloud_bridge.web.translated_templates import environment
from tests.cloud_bridge.people import Visitor, text_of, unit_of
from tests.cloud_bridge.running import Bridge, sample

GERMAN = {"Accept-Language": "de-AT,de;q=0.9"}
LANG = re.compile('<html lang="([^"]+)"')


def lang_of(html: str) -> str:
    found = LANG.search(html)
    assert found
    return found[1]


def test_nobody_is_answered_as_the_browser_asks(bridge: Bridge) -> None:
    client = bridge.stranger()
    english, german = client.get("/login"), client.get("/login", headers=GERMAN)
    assert (lang_of(english.text), lang_of(german.text)) == ("en-GB", "de")
    assert "Log in" in text_of(english.text) and "Anmelden" in text_of(german.text)
    assert "Accept-Language" in english.headers["Vary"] and "Accept-Language" in german.headers["Vary"]


def test_whoever_has_chosen_a_language_has_it_in_every_browser(bridge: Bridge) -> None:
    dora = Visitor(bridge, "dora", Role.DRIVER)
    assert "Language" in dora.read("/account")
    assert dora.post("/account/language", language="de").url.path == "/account"
    assert lang_of(dora.get("/account")) == "de"
    elsewhere = Visitor(bridge, "dora")
    elsewhere.client.headers["Accept-Language"] = "en-GB"
    assert "Sprache" in elsewhere.read("/account")
    assert "checked" in elsewhere.get("/account/language").split('value="de"')[1].split(">")[0]
    elsewhere.post("/account/language", language="")
    assert lang_of(elsewhere.get("/account")) == "en-GB", "as the browser asks for"


def test_a_language_that_there_is_not_is_refused_beside_the_choice(bridge: Bridge) -> None:
    answer = Visitor(bridge, "dora", Role.DRIVER).post("/account/language", language="xx")
    assert answer.status_code == 422
    assert "We do not have this language." in answer.text and "Not taken" in answer.text


def test_a_language_of_a_newer_version_is_as_none(bridge: Bridge) -> None:
    dora = Visitor(bridge, "dora", Role.DRIVER)
    with bridge.app_state.database.writing() as connection:
        connection.exec_driver_sql("UPDATE people SET language = 'tlh' WHERE name = 'dora'")
    assert lang_of(dora.get("/account")) == "en-GB"


def test_programs_are_answered_in_english(bridge: Bridge) -> None:
    unit_of(bridge, "dora").publish("cp/home-1/heartbeat", sample("heartbeat-charging"))
    bridge.until(lambda: bridge.read("home-1")["last_contact"], "heard")
    for path in ("/api/charge-points/home-1", "/api/charge-points/nobody", "/api/alerts"):
        assert bridge.client.get(path, headers=GERMAN).text == bridge.client.get(path).text


def test_a_problem_that_is_kept_is_kept_for_each_language(bridge: Bridge) -> None:
    long = "/login?next=" + "x" * 20_000  # refused before any route, by a page that is rendered once
    client = bridge.stranger()
    for _ in range(2):
        assert "That was too large" in client.get(long).text
        assert "Das war zu groß" in client.get(long, headers=GERMAN).text


def test_what_a_form_refuses_is_told_in_the_language_of_the_account(bridge: Bridge) -> None:
    dora = Visitor(bridge, "dora", Role.DRIVER)
    dora.post("/account/language", language="de")
    answer = dora.post("/account/units", code="7K4M-2QXP-9BCD")
    assert answer.status_code == 422
    assert lang_of(answer.text) == "de" and "No charger" not in answer.text


def test_the_service_worker_keeps_the_offline_page_of_its_language(bridge: Bridge) -> None:
    client = bridge.stranger()
    english, german = client.get("/worker.js?language=en-GB").text, client.get("/worker.js?language=de").text
    assert '"/offline"' in english and '"/offline/de"' in german
    assert "You are offline" in client.get("/offline", headers=GERMAN).text, "whoever fetches it: the worker's language"
    assert lang_of(client.get("/offline/de").text) == "de"
    assert english != german, (
        "so a browser whose reader changes the language has another worker, and keeps another page"
    )
    assert client.get("/worker.js?language=" + "x" * 21).status_code == 404


def test_a_live_stream_speaks_the_language_of_its_reader(bridge: Bridge) -> None:
    unit = unit_of(bridge, "dora")
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-charging"))
    bridge.until(lambda: bridge.read("home-1")["last_contact"], "heard")
    dora = Visitor(bridge, "dora")
    dora.post("/account/language", language="de")
    assert "Zuletzt gemeldet" in first_board(dora, "de")
    dora.post("/account/language", language="en")
    assert "Last contacted" in first_board(dora, "en"), "and what was made for her a moment ago is not sent"


def first_board(visitor: Visitor, browser: str) -> str:
    """Return the heading of the first dashboard that is sent."""
    with visitor.client.stream(
        "GET", "/charge-points/home-1/live?seen=", headers={"Accept-Language": browser}
    ) as answer:
        return next(line for line in answer.iter_lines() if 'id="contacted"' in line)


@pytest.mark.parametrize("name", ["driver/charge_point.html", "base.html"])
def test_english_is_compiled_without_a_lookup(name: str) -> None:
    """The text of `trans` is constant text of the template."""
    english = environment("en")
    source = english.loader.get_source(english, name)[0]  # type: ignore[union-attr]
    code = english.compile(source, raw=True)
    assert "gettext" not in code
    assert "Service status" in environment("en").compile("{% trans %}Service status{% endtrans %}", raw=True)
    assert "Dienststatus" in environment("de").compile("{% trans %}Service status{% endtrans %}", raw=True)
