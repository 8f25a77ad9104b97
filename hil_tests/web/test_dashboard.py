"""Does an open dashboard update by itself, and does everything on it work without scripts?"""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.web import budget
from hil_tests.web.cloud_fixture import WebCloudFixture

SOON_MS = 60_000
CONTROLLED = """navigator.serviceWorker.ready.then(() => new Promise((done) => {
  navigator.serviceWorker.addEventListener("controllerchange", done);
  if (navigator.serviceWorker.controller) done();
}))"""


MINUTE_MS, HOUR_MS = 60_000, 3_600_000
# Age in milliseconds -> the words on a newly loaded page (cloud_bridge/web/presentation/words.py).
AGO = {
    1000: "Just now",
    6000: "6 seconds ago",
    MINUTE_MS + 1000: "1 minute ago",
    59 * MINUTE_MS + 1000: "59 minutes ago",
    119 * MINUTE_MS: "1 hour ago",
    47 * HOUR_MS: "47 hours ago",
    48 * HOUR_MS: "2 days ago",
}
LASTING = {
    1000: "1 minute",
    31 * MINUTE_MS: "31 minutes",
    61 * MINUTE_MS: "61 minutes",
    119 * MINUTE_MS: "119 minutes",
    2 * HOUR_MS: "2 hours",
    47 * HOUR_MS: "47 hours",
    100 * HOUR_MS: "4 days",
}
# Set ages on the page, and return the words that its script writes for them.
TOLD = """async ([attribute, ages]) => {
  const place = document.querySelector(`[${attribute}]`);
  const { restart } = await import(document.querySelector("link[href$='/age.js']").href);
  return ages.map((age) => {
    place.setAttribute(attribute, age);
    restart();
    return place.textContent;
  });
}"""


@pytest.fixture(scope="module")
def charger(place: WebCloudFixture) -> MqttUnit:
    return place.chargers[0]


@pytest.fixture
def page(browser: Browser, place: WebCloudFixture) -> Iterator[Page]:
    """Dora's open dashboard."""
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    place.log_in(page, "dora")
    yield page
    page.context.close()


def idle(charger: MqttUnit) -> None:
    charger.report("heartbeat", s="A1", m="smart", q=18, o="23415", a=0, w=0, e=128300, f=[])


def charging(charger: MqttUnit) -> None:
    charger.report("heartbeat", s="C2", m="smart", q=17, o="23415", a=32, w=7360, e=129000, f=[])


def test_the_first_view_is_small_and_all_ours(browser: Browser, place: WebCloudFixture) -> None:
    seen = budget.visit(browser, budget.logged_in(browser, place, "dora"), f"{place.address}/")
    print(f"\nfirst view: {seen.first_bytes} of {seen.bytes} bytes in {len(seen.sizes)} answers: {seen.sizes}")
    assert seen.first_bytes <= budget.FIRST_VIEW_BYTES
    most_bytes, most_requests = budget.LIMITS["/"]
    assert all(url.startswith(f"{place.address}/") for url in seen.sizes)
    assert seen.bytes <= most_bytes
    assert len(seen.sizes) <= most_requests


def test_the_first_view_has_last_contact_why_and_the_large_action(browser: Browser, place: WebCloudFixture) -> None:
    """On a phone's first screen, with only the page and its style sheet loaded."""
    place.person("fay", "driver")
    charger = place.charger("CK-0021", "fay")
    now_s = int(time.time())
    waits = {"l": 0, "y": "schedule", "u": now_s + 3600}
    charger.report("heartbeat", t=now_s, s="B1", m="smart", q=18, a=0, w=0, e=100, f=[], **waits)
    state = budget.logged_in(browser, place, "fay")
    context = browser.new_context(storage_state=state, viewport={"width": 390, "height": 844}, service_workers="block")
    page = context.new_page()
    page.route("**", lambda route: route.continue_() if first_view(route) else route.abort())
    page.goto(f"{place.address}/", wait_until="commit")
    for part in ("#contact .ago", ".contact .glance", "h1", "h2.why", ".large button"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Charge now")).to_have_count(1)
    context.close()


def first_view(route: Route) -> bool:
    return route.request.resource_type in ("document", "stylesheet")


def test_tonight_is_drawn_and_the_large_action_is_sent_without_scripts(
    browser: Browser, place: WebCloudFixture
) -> None:
    place.person("tess", "driver")
    charger = place.charger("CK-0022", "tess")
    charger.subscribe_to_commands()
    charger.report("event", t=int(time.time()), k="schedule", d={"to": "off"})
    charger.report("heartbeat", t=int(time.time()), s="C2", m="smart", q=18, a=32, w=7360, e=100, f=[])
    page = browser.new_context(java_script_enabled=False).new_page()
    place.log_in(page, "tess")
    bar = page.locator("#tonight")
    expect(bar.locator(".charge").first).to_be_visible()
    expect(bar.get_by_role("listitem").first).to_contain_text("Charges at any time")
    page.get_by_role("button", name="Stop", exact=True).click()
    command = charger.next_command()
    assert command["do"] == "pause"
    page.context.close()


def test_an_open_page_shows_a_message_by_itself(page: Page, charger: MqttUnit) -> None:
    idle(charger)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ready, no vehicle connected", timeout=SOON_MS)
    before_s = time.monotonic()
    charging(charger)
    expect(page.get_by_role("heading", level=1)).to_have_text("Charging", timeout=SOON_MS)
    print(f"\nacknowledged heartbeat to open page: {time.monotonic() - before_s:.2f} s")
    expect(page.get_by_text("0.7 kWh")).to_be_visible()


def test_a_page_whose_scripts_come_slowly_is_live_all_the_same(
    browser: Browser, place: WebCloudFixture, charger: MqttUnit
) -> None:
    """Scripts other than the stream's arrive a second after the page."""

    def later(route: Route) -> None:
        time.sleep(1)
        route.continue_()

    page = browser.new_context(service_workers="block").new_page()
    page.route("**/live.js", later)
    place.log_in(page, "dora")
    idle(charger)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ready, no vehicle connected", timeout=SOON_MS)
    charging(charger)
    page.context.close()


def test_a_page_without_network_says_so_and_recovers_by_itself(page: Page, charger: MqttUnit) -> None:
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline. This is what was true then.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("You are offline")).to_be_hidden(timeout=SOON_MS)
    charging(charger)
    expect(page.get_by_role("heading", level=1)).to_have_text("Charging", timeout=SOON_MS)


def test_a_browser_without_network_is_told_that_it_is_offline(browser: Browser, place: WebCloudFixture) -> None:
    page = browser.new_context().new_page()
    place.log_in(page, "dora")
    page.evaluate(CONTROLLED)
    page.context.set_offline(True)
    page.goto(f"{place.address}/charge-points/CK-0001")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are offline")
    kept = page.evaluate(
        "caches.keys().then((names) => caches.open(names[0])).then((kept) => kept.keys())"
        ".then((kept) => kept.map((one) => new URL(one.url).pathname))"
    )
    assert all(path.startswith("/static/") or path == "/offline" for path in kept), kept
    page.context.close()


def test_a_command_and_its_answer(place: WebCloudFixture, page: Page, charger: MqttUnit) -> None:
    """A charger that subscribes receives the limit and answers; the open page shows the answer."""
    charger.subscribe_to_commands()
    idle(charger)
    page.goto(f"{place.address}/charge-points/CK-0001/charging")
    page.get_by_role("button", name="Limit it").click()
    expect(page.get_by_text("Waiting for your charger")).to_be_visible()
    command = charger.next_command()
    charger.report("result", id=command["id"], ok=True)
    expect(page.get_by_text("Your charger has accepted it")).to_be_visible(timeout=SOON_MS)


def test_what_is_in_force_is_said_and_ended_without_scripts(browser: Browser, place: WebCloudFixture) -> None:
    """The second headline, and the form beside it."""
    place.person("nina", "driver")
    charger = place.charger("CK-0019", "nina")
    charger.subscribe_to_commands()
    now_s = int(time.time())
    paused = {"l": 0, "y": "cloud", "u": now_s + 3600, "i": ["override"]}
    charger.report("heartbeat", t=now_s, s="B1", m="smart", q=18, a=0, w=0, e=100, f=[], **paused)
    page = browser.new_context(java_script_enabled=False).new_page()
    place.log_in(page, "nina")
    expect(page.locator("h2.why")).to_contain_text("Paused by you until")
    expect(page.get_by_role("button", name="End charge now")).to_be_visible()
    page.get_by_role("button", name="End the pause").click()
    command = charger.next_command()
    assert command["do"] == "resume"
    charger.report("result", id=command["id"], ok=True, l=32, by="installer", i=["override"])
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("In force then: May charge at up to 32 A")).to_be_visible()
    page.context.close()


def test_without_scripts_from_silence_to_a_message(browser: Browser, place: WebCloudFixture) -> None:
    """Refresh, the error, the steps and the request for help are links and forms."""
    place.person("nora", "driver")
    charging(place.charger("CK-0002", "nora"))
    page = browser.new_context(java_script_enabled=False).new_page()
    place.log_in(page, "nora")
    place.minutes_pass(40)
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("alert")).to_contain_text("We have not heard from your charger for")
    expect(page.get_by_text("Wait 30 seconds.")).to_be_visible()
    expect(page.get_by_role("button", name="Start the 30 seconds")).to_be_hidden()
    page.get_by_role("button", name="Get help with this charger").click()
    expect(page.get_by_text("We have your message")).to_be_visible()
    page.context.close()


def test_words_that_are_being_written_stay_while_the_page_is_refreshed(
    browser: Browser, place: WebCloudFixture
) -> None:
    place.person("walt", "driver")
    charging(place.charger("CK-0011", "walt"))
    page = browser.new_context().new_page()
    place.log_in(page, "walt")
    place.minutes_pass(40)
    words_field = page.get_by_label("What happens, in your own words")
    words_field.fill("It hums, and the light is off.", timeout=SOON_MS)
    checked = page.locator("[data-checked]").inner_text()
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("[data-checked]")).not_to_have_text(checked, timeout=SOON_MS)
    expect(words_field).to_have_value("It hums, and the light is off.")
    page.get_by_role("button", name="Get help with this charger").click()
    expect(page.get_by_text("It hums, and the light is off.")).to_be_visible()
    page.context.close()


def test_the_ages_of_an_open_page_are_in_the_words_of_a_new_one(browser: Browser, place: WebCloudFixture) -> None:
    """Also the duration of a silence, which once stayed at "for 30 minutes" on an open page."""
    place.person("oona", "driver")
    charging(place.charger("CK-0009", "oona"))
    page = browser.new_context().new_page()
    place.log_in(page, "oona")
    place.minutes_pass(31)
    expect(page.get_by_role("alert")).to_contain_text("We have not heard from your charger for", timeout=SOON_MS)
    assert page.evaluate(TOLD, ["data-age-ms", list(AGO)]) == list(AGO.values())
    assert page.evaluate(TOLD, ["data-lasting-ms", list(LASTING)]) == list(LASTING.values())
    page.locator("[data-lasting-ms]").evaluate("silence => silence.dataset.lastingMs = 40 * 60000 + 59500")
    expect(page.get_by_role("alert")).to_contain_text("for 41 minutes", timeout=SOON_MS)  # without a message
    page.context.close()
