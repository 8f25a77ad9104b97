"""Do all tabs of a browser load and stay live, whatever their number?

With HTTP/1.1, a browser opens at most six connections to a host. If each tab held one, a seventh tab could not load.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.web.cloud_fixture import WebCloudFixture

SOON_MS = 60_000
OTHERS = ("/account", "/charge-points/CK-0001/history", "/charge-points/CK-0001/charging", "/support")
WITHOUT_SHARED_WORKER = "delete globalThis.SharedWorker"


@pytest.fixture
def charger(place: WebCloudFixture) -> MqttUnit:
    return place.chargers[0]


@pytest.fixture
def context(browser: Browser, place: WebCloudFixture) -> Iterator[BrowserContext]:
    """Dora's browser, logged in, on a page without a stream."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    place.log_in(page, "dora")
    page.goto(f"{place.address}/account")
    yield context
    context.close()


def idle(charger: MqttUnit) -> None:
    charger.report("heartbeat", s="A1", m="smart", q=18, o="23415", a=0, w=0, e=128300, f=[])


def charging(charger: MqttUnit) -> None:
    charger.report("heartbeat", s="C2", m="smart", q=17, o="23415", a=32, w=7360, e=129000, f=[])


def shows(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words, timeout=SOON_MS)


def open_tabs(
    context: BrowserContext, place: WebCloudFixture, count: int, path: str = "/charge-points/CK-0001"
) -> list[Page]:
    tabs = [context.new_page() for _ in range(count)]
    for tab in tabs:
        tab.set_default_timeout(SOON_MS)
        tab.goto(f"{place.address}{path}")
    return tabs


def streams(place: WebCloudFixture) -> int:
    """Return the number of connections between the bridge and browsers, from /proc/net/tcp."""
    port = f":{place.http_port:04X}"
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return sum(row[1].endswith(port) and row[3] == "01" for row in rows)


def test_nine_dashboards_and_four_other_pages_load_and_stay_live(
    context: BrowserContext, place: WebCloudFixture, charger: MqttUnit
) -> None:
    idle(charger)
    tabs = open_tabs(context, place, 9)
    others = [open_tabs(context, place, 1, path)[0] for path in OTHERS]
    for tab in tabs:
        shows(tab, "Ready, no vehicle connected")
    for change, words in ((charging, "Charging"), (idle, "Ready, no vehicle connected"), (charging, "Charging")):
        change(charger)
        for tab in tabs:
            shows(tab, words)
    for other in others:
        assert other.reload().ok  # type: ignore[union-attr]
    for tab in tabs[:-1]:
        tab.close()
    idle(charger)
    shows(tabs[-1], "Ready, no vehicle connected")


def test_tabs_of_different_charge_points_share_one_stream(
    context: BrowserContext, place: WebCloudFixture, charger: MqttUnit
) -> None:
    second = place.charger("CK-0008", "dora")
    try:
        idle(charger)
        idle(second)
        before = streams(place)
        tabs = open_tabs(context, place, 4)
        seconds = open_tabs(context, place, 4, "/charge-points/CK-0008")
        charging(second)
        for tab in seconds:
            shows(tab, "Charging")
        for tab in tabs:
            shows(tab, "Ready, no vehicle connected")
        charging(charger)
        for tab in tabs:
            shows(tab, "Charging")
        print(f"\nconnections before {before}, with eight dashboards {streams(place)}")
    finally:
        place.command("unit", "release", "CK-0008")
        second.close()


def test_a_tab_that_shows_an_older_state_is_brought_up_to_date(
    context: BrowserContext, place: WebCloudFixture, charger: MqttUnit
) -> None:
    """One tab was offline when the state changed; another tab has the new state. Both use the same stream."""
    idle(charger)
    (old,) = open_tabs(context, place, 1)
    shows(old, "Ready, no vehicle connected")
    context.set_offline(True)
    charging(charger)
    context.set_offline(False)
    (new,) = open_tabs(context, place, 1)
    shows(new, "Charging")
    shows(old, "Charging")


def test_logging_out_in_one_tab_ends_the_others(
    context: BrowserContext, place: WebCloudFixture, charger: MqttUnit
) -> None:
    tabs = open_tabs(context, place, 3)
    page = context.pages[0]
    page.get_by_role("button", name="Log out").click()
    for tab in tabs:
        expect(tab.get_by_role("heading", name="Log in")).to_be_visible(timeout=SOON_MS)


def test_a_bridge_that_was_restarted_is_heard_again_in_every_tab(
    context: BrowserContext, place: WebCloudFixture, charger: MqttUnit
) -> None:
    idle(charger)
    tabs = open_tabs(context, place, 3)
    place.kill_bridge()
    place.start_bridge()
    charging(charger)
    for tab in tabs:
        shows(tab, "Charging")


def test_without_shared_workers_a_page_has_a_stream_of_its_own(
    context: BrowserContext, place: WebCloudFixture, charger: MqttUnit
) -> None:
    context.add_init_script(WITHOUT_SHARED_WORKER)
    idle(charger)
    tabs = open_tabs(context, place, 3)
    for tab in tabs:
        shows(tab, "Ready, no vehicle connected")
    charging(charger)
    for tab in tabs:
        shows(tab, "Charging")
