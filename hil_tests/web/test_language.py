"""Is everything in German for a German reader: the scripts' words, the live stream, and the page without a network?"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from hil_tests.web.cloud_fixture import WebCloudFixture
from hil_tests.web.test_dashboard import AGO, CONTROLLED, LASTING, SOON_MS, TOLD, charging, idle

GERMAN_AGO = [
    "Gerade eben",
    "vor 6 Sekunden",
    "vor 1 Minute",
    "vor 59 Minuten",
    "vor 1 Stunde",
    "vor 47 Stunden",
    "vor 2 Tagen",
]
GERMAN_LASTING = ["1 Minute", "31 Minuten", "61 Minuten", "119 Minuten", "2 Stunden", "47 Stunden", "4 Tage"]


@pytest.fixture
def page(browser: Browser, place: WebCloudFixture) -> Iterator[Page]:
    """Dora's dashboard in German. Afterwards her language is English again, for other tests."""
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    place.log_in(page, "dora")
    choose(page, place, "Deutsch", "Save")
    page.goto(f"{place.address}/charge-points/CK-0001")
    yield page
    page.context.set_offline(False)
    choose(page, place, "English", "Speichern")
    page.context.close()


def choose(page: Page, place: WebCloudFixture, language: str, save: str) -> None:
    page.goto(f"{place.address}/account/language")
    page.get_by_label(language, exact=True).check()
    page.get_by_role("button", name=save).click()
    page.wait_for_url(lambda url: url.endswith("/account"))


def test_the_live_dashboard_and_its_scripts_speak_german(page: Page, place: WebCloudFixture) -> None:
    expect(page.locator("html")).to_have_attribute("lang", "de")
    idle(place.chargers[0])
    expect(page.get_by_role("heading", level=1)).to_have_text("Bereit, kein Fahrzeug angesteckt", timeout=SOON_MS)
    charging(place.chargers[0])
    expect(page.get_by_role("heading", level=1)).to_have_text("Lädt", timeout=SOON_MS)
    assert page.evaluate(TOLD, ["data-age-ms", list(AGO)]) == GERMAN_AGO
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<time data-lasting-ms=1></time>')")
    assert page.evaluate(TOLD, ["data-lasting-ms", list(LASTING)]) == GERMAN_LASTING
    page.context.set_offline(True)
    expect(page.get_by_text("Sie sind offline. Das ist der Stand von damals.")).to_be_visible()


def test_the_page_without_a_network_is_in_german(page: Page, place: WebCloudFixture) -> None:
    page.evaluate(CONTROLLED)
    page.wait_for_function("caches.keys().then((names) => names.some((name) => name.endsWith('-de')))")
    page.context.set_offline(True)
    page.goto(f"{place.address}/charge-points/CK-0001")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sie sind offline")
