"""Is a page that stays open overnight correct in the morning, and does it say when it has no connection?

Playwright advances the browser's clock; the bridge's stored times are moved back.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.web.cloud_fixture import WebCloudFixture

SOON_MS = 60_000
MINUTE_MS = 60_000
NIGHT_MIN = 8 * 60
FRESH = re.compile("Just now|seconds ago")
NO_SERVICE = "No connection to our service. This is what was true then."


@pytest.fixture(scope="module")
def charger(place: WebCloudFixture) -> MqttUnit:
    """The charger of a driver who sleeps."""
    place.person("nils", "driver")
    return place.charger("CK-0003", "nils")


@pytest.fixture
def page(browser: Browser, place: WebCloudFixture, charger: MqttUnit) -> Iterator[Page]:
    """The dashboard in the evening, just after a message."""
    page = browser.new_context().new_page()
    page.clock.install()
    place.log_in(page, "nils")
    charger.report("heartbeat", s="A1", m="smart", q=18, o="23415", a=0, w=0, e=124000, f=[])
    expect(page.locator(".ago")).to_have_text(FRESH, timeout=SOON_MS)
    yield page
    page.context.close()


def test_ages_grow_without_the_network_being_asked(page: Page) -> None:
    page.clock.fast_forward(12_000)
    expect(page.locator(".ago")).to_have_text(re.compile("^(1[2-9]|[2-5][0-9]) seconds ago$"))  # plus this test's time


def test_a_night_without_the_bridge_and_the_morning(page: Page, place: WebCloudFixture, charger: MqttUnit) -> None:
    place.stop_bridge()
    page.clock.fast_forward(MINUTE_MS)
    expect(page.get_by_text(NO_SERVICE)).to_be_visible()
    said = page.locator(".ago").inner_text()
    page.clock.fast_forward(NIGHT_MIN * MINUTE_MS)
    assert page.locator(".ago").inner_text() == said, "without a connection, an age does not grow"
    place.minutes_pass(NIGHT_MIN + 10)  # the silence does not count the time for which the bridge was down
    page.clock.run_for(MINUTE_MS)
    expect(page.locator(".ago")).to_have_text("8 hours ago", timeout=SOON_MS)
    expect(page.get_by_role("alert")).to_contain_text("We have not heard from your charger for 8 hours")
    expect(page.get_by_text(NO_SERVICE)).to_be_hidden()
    place.wait_until_noticed("CK-0003")
    charger.report("heartbeat", s="A1", m="smart", q=18, o="23415", a=0, w=0, e=124000, f=[])
    expect(page.locator(".ago")).to_have_text(FRESH, timeout=SOON_MS)
    page.reload()  # test_whole_chain.py tests the same without a reload
    expect(page.get_by_role("heading", name="It is back")).to_be_visible()
