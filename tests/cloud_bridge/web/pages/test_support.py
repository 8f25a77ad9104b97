"""Does a message reach support with the charger's facts, once, and a job the installer with its evidence?"""

from typing import NamedTuple

import pytest

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.conversations import READY_MADE
from tests.cloud_bridge.bracketed import GERMAN, bracket_german
from tests.cloud_bridge.people import Visitor, entrust, unit_of
from tests.cloud_bridge.running import Bridge, Unit, sample

HEARTBEAT = "cp/home-1/heartbeat"


class Cast(NamedTuple):
    driver: Visitor
    neighbour: Visitor
    support: Visitor
    installer: Visitor


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    return unit_of(bridge, "dora")


@pytest.fixture
def cast(bridge: Bridge, unit: Unit) -> Cast:
    driver = Visitor(bridge, "dora")
    installer = Visitor(bridge, "ingo", Role.INSTALLER)
    entrust(bridge, "home-1", "ingo")
    return Cast(driver, Visitor(bridge, "ned", Role.DRIVER), Visitor(bridge, "sue", Role.SUPPORT), installer)


def test_one_tap_raises_a_silent_charger_with_its_facts(bridge: Bridge, unit: Unit, cast: Cast) -> None:
    unit.publish("cp/home-1/event", sample("event-boot"))
    unit.publish("cp/home-1/event", sample("event-modem"))
    unit.publish("cp/home-1/event", sample("event-day"))
    unit.publish(HEARTBEAT, sample("heartbeat-charging"))
    bridge.clock.advance(31 * MINUTE_MS)
    page = cast.driver.post("/charge-points/home-1/raise", "/").text
    assert "We have your message" in page
    waiting = cast.support.read("/support")
    assert "dora , home-1" in waiting
    assert "Waits for an answer" in waiting
    said = cast.support.read("/support/1")
    for words in (
        "My charger does not come back",
        "Contact Silent",
        "Silent in 7 days once, together 31 minutes",
        "Firmware 0.1.0",
        "Modem A7670E-FASE",
        "Contactor closings 1,302",
    ):
        assert words in said


def test_what_is_stored_of_a_message_is_in_english_whoever_writes_it(
    bridge: Bridge, unit: Unit, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that support can read it; a driver who reads it again sees it in their language."""
    bracket_german(monkeypatch)
    unit.publish(HEARTBEAT, sample("heartbeat-charging"))
    bridge.clock.advance(31 * MINUTE_MS)
    cast.driver.client.headers["Accept-Language"] = GERMAN
    page = cast.driver.get("/charge-points/home-1/support")
    assert f"[{READY_MADE}]" in page and "[Silent in 7 days]" in page
    cast.driver.post("/charge-points/home-1/support", text=f"[{READY_MADE}]")
    assert f"[{READY_MADE}]" in cast.driver.read("/support/1")
    said = cast.support.read("/support/1")
    assert READY_MADE in said and "Silent in 7 days once" in said and "[" not in said


def test_a_charger_cannot_be_raised_with_nobody(bridge: Bridge) -> None:
    bridge.add_unit("home-1")
    said = Visitor(bridge, "sue", Role.SUPPORT).read("/charge-points/home-1/jobs")
    assert "There is no installer yet" in said
    assert "Raise it" not in said


def test_an_answer_reaches_the_driver_and_nobody_else(cast: Cast) -> None:
    assert "We have your message. We answer here." in cast.driver.post("/support", text="Hello?").text
    cast.support.post("/support/1", text="How can we help?")
    assert "How can we help?" in cast.driver.read("/support/1")
    assert "Waits" not in cast.support.read("/support")
    for stranger in (cast.neighbour, cast.installer):
        assert stranger.client.get("/support/1").status_code == 404
        assert "Hello?" not in stranger.get("/support")


def test_beside_a_conversation_stand_the_others_of_whoever_looks(cast: Cast) -> None:
    for name, text in ((cast.driver, "It hums."), (cast.neighbour, "It rattles.")):
        name.post("/support", text=text)
    for path in ("/support", "/support/1"):
        page = cast.support.get(path)
        assert 'href="/support/1"' in page and 'href="/support/2"' in page
    assert cast.support.get("/support/1").count('aria-current="page"><span') == 1
    page = cast.driver.get("/support/1")
    assert 'href="/support/1"' in page and 'href="/support/2"' not in page
    cast.support.post("/support/1", text="Do you hear it now?")
    assert "New answer" in cast.driver.read("/support")
    assert "New answer" not in cast.driver.read("/support/1"), "it is being read"


def test_a_form_that_is_sent_twice_counts_once(cast: Cast) -> None:
    fields = {"text": "It hums.", "once": "0" * 32}
    for _ in range(2):
        assert cast.driver.post("/support", **fields).status_code == 200
    assert cast.driver.get("/support/1").count("It hums.") == 1


@pytest.mark.parametrize("size", [4_001, 65_000])
def test_a_message_that_is_too_long_comes_again(cast: Cast, size: int) -> None:
    response = cast.driver.post("/support", text="x" * size)
    assert response.status_code == 422
    assert "This is too long" in response.text
    assert "x" * size in response.text


def test_a_message_of_a_megabyte_has_its_page(cast: Cast) -> None:
    response = cast.driver.post("/support", text="x" * 1_000_000)
    assert response.status_code == 413
    assert "That was too large" in response.text


def test_script_in_a_message_and_a_name_is_only_text(bridge: Bridge, cast: Cast) -> None:
    hostile = "<script>alert(1)</script>"
    cast.driver.post("/account/units/home-1", name=hostile, time_zone="Europe/London")
    cast.driver.post("/charge-points/home-1/support", text=hostile)
    pages = [
        cast.driver.get(path) for path in ("/", "/support", "/support/1", "/account/units", "/account/units/home-1")
    ]
    for html in [*pages, cast.support.get("/support/1")]:
        assert "<script>alert" not in html
        assert "&lt;script&gt;" in html or "home-1" in html


def raise_job(cast: Cast) -> str:
    response = cast.support.post("/charge-points/home-1/jobs", reason="Weak signal")
    assert response.status_code == 200, response.text
    return response.url.path


def test_support_raises_a_unit_with_its_installer(cast: Cast) -> None:
    path = raise_job(cast)
    assert "home-1" in cast.installer.read("/jobs")
    assert "Weak signal" in cast.installer.read(path)
    assert cast.driver.client.get(path).status_code == 404
    assert raise_job(cast) == path, "one open job at a unit"


def test_beside_a_job_stand_the_others(cast: Cast) -> None:
    path = raise_job(cast)
    for person in (cast.support, cast.installer):
        page = person.get(path)
        assert f'href="{path}" aria-current="page"' in page
        assert page.index("<h1>home-1") < page.index('aria-label="Jobs"')


def test_only_support_raises_jobs(cast: Cast) -> None:
    for person in (cast.driver, cast.installer, cast.neighbour):
        assert person.client.get("/charge-points/home-1/jobs").status_code == 404
        assert person.post("/charge-points/home-1/jobs", "/account", reason="x", once="0" * 32).status_code == 404


def test_a_visit_and_the_end_of_a_job(bridge: Bridge, unit: Unit, cast: Cast) -> None:
    path = raise_job(cast)
    cast.installer.post(f"{path}/arrive", path)
    assert "Too early to say" in cast.installer.post(f"{path}/fit", path).text
    assert "antenna" in cast.installer.post(f"{path}/close", path, outcome="New antenna").text
    assert "Done on" in cast.installer.read("/jobs")
