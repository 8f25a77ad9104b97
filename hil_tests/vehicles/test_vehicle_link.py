"""Can a driver in a real browser connect a car, see that access is lost, and get it back in both ways?

The car maker is npm's oidc-provider: one use for codes and refresh tokens, PKCE, and the issuer in the redirect.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from hil_tests.fixtures.background import Background
from hil_tests.fixtures.bridge_process import BridgeProcess
from hil_tests.fixtures.ports import free_ports
from hil_tests.vehicles.car_maker.car_maker import CarMaker, NoNode, in_ci
from hil_tests.web.axe import axe_script, violations

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 60_000
PHONE: ViewportSize = {"width": 390, "height": 844}
LOST = "We have lost access to Zoe"
NO_ANSWER_YET = "has not answered yet"
ATTEMPTS = 30
AGAIN_AFTER_MS = 1000


@dataclass(frozen=True)
class Town:
    """A bridge and a car maker, for all tests."""

    browser: Browser
    address: str
    maker: CarMaker
    command: Callable[..., Any]  # the bridge's command line


@dataclass(frozen=True)
class Scene(Town):
    """The town, and a new driver for each test, who is logged in to the bridge."""

    name: str
    page: Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def town(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("the cloud")
    http_port, mqtt_port, maker_port = free_ports(3)
    bridge, background = BridgeProcess(http_port, mqtt_port, folder), Background()
    try:
        maker = CarMaker(maker_port, f"{bridge.address}/vehicles/return/maker")
    except NoNode as why:
        background.close()
        if in_ci():
            raise
        pytest.skip(str(why))
    (folder / "vehicles.toml").write_text(maker.settings(bridge.address))
    try:
        background.run(bridge.start())
        yield Town(browser, bridge.address, maker, lambda *words: background.run(bridge.command(*words)))
    finally:
        background.run(bridge.stop())
        background.close()
        maker.stop()


@pytest.fixture
def scene(town: Town) -> Iterator[Scene]:
    login = town.command("user", "add", f"ann-{token_hex(4)}", "--role", "driver")
    context = town.browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{town.address}/login")
    page.get_by_label("Name").fill(login["user"])
    page.get_by_label("Password").fill(login["password"])
    page.get_by_role("button", name="Log in", exact=True).click()
    yield Scene(town.browser, town.address, town.maker, town.command, login["user"], page)
    context.close()


def authorise(page: Page, maker: CarMaker, as_whom: str = "ann@example") -> None:
    """Go through the maker's pages: log in if necessary, and consent."""
    page.wait_for_url(f"{maker.address}/**")
    login = page.locator("input[name=login]")
    if login.count():
        login.fill(as_whom)
        page.locator("input[name=password]").fill("any")
        page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def connect(scene: Scene) -> None:
    """Connect a car as a driver does, from the first page."""
    page = scene.page
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name="Vehicle Details").click()
    page.get_by_role("link", name="Connect a vehicle").click()
    expect(page.get_by_role("heading", name="Connect your Vehicle")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    authorise(page, scene.maker)
    expect(page.get_by_text("Your vehicle is connected")).to_be_visible()


def refresh(page: Page) -> None:
    """Press Refresh on a vehicle's page, and repeat while the page reports no answer yet.

    The first refresh of a bridge starts a process, which can take longer on a busy machine than the three seconds for which
    the page waits.
    """
    for _ in range(ATTEMPTS):
        with page.expect_navigation():
            page.get_by_role("button", name="Refresh").click()
        if page.get_by_text(NO_ANSWER_YET).count() == 0:
            return
        page.wait_for_timeout(AGAIN_AFTER_MS)
    raise AssertionError(f"no answer: {page.locator('main').inner_text()}")


def lose(scene: Scene) -> None:
    """End the grant at the maker, refresh the vehicle's page, and open the dashboard."""
    page = scene.page
    scene.maker.end_every_grant()
    refresh(page)
    page.goto(scene.address)
    expect(page.get_by_role("alert")).to_contain_text(LOST)


def test_a_car_is_linked_and_its_state_is_on_the_dashboard(scene: Scene) -> None:
    connect(scene)
    page = scene.page
    assert "code=" not in page.url, "the code is gone from the address"
    page.goto(scene.address)
    expect(page.get_by_label("Zoe")).to_contain_text("64 %")
    expect(page.get_by_label("Zoe")).to_contain_text(re.compile(r"Charging\s*Yes"))
    expect(page.get_by_role("alert")).to_have_count(0)


def test_all_cars_of_an_account_are_added_with_one_press_and_mended_with_one_authorisation(scene: Scene) -> None:
    page = scene.page
    page.goto(f"{scene.address}/account/vehicles/connect")
    page.get_by_role("button", name="Continue").click()
    authorise(page, scene.maker, "family")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)
    page.get_by_role("button", name="Add").click()
    cars = page.get_by_role("navigation", name="Vehicles").get_by_role("link")
    expect(cars).to_contain_text(["Zoe", "Max"])
    for name in ("Zoe", "Max"):
        page.goto(f"{scene.address}/account/vehicles")
        page.get_by_role("link", name=name).click()
        refresh(page)
        expect(page.get_by_label("What we know")).to_contain_text(re.compile(r"Battery\s*64 %"))
    scene.maker.end_every_grant()
    refresh(page)
    page.get_by_role("button", name="Continue").click()
    authorise(page, scene.maker, "family")
    expect(page.get_by_text("Your vehicle is connected")).to_be_visible()
    page.goto(scene.address)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_label("Zoe")).to_contain_text("Connected")


def test_refresh_on_the_dashboard_leads_back_to_a_linked_car(scene: Scene) -> None:
    connect(scene)
    lose(scene)
    page = scene.page
    page.get_by_role("alert").get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("heading", name="Connect your Vehicle")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    authorise(page, scene.maker)
    page.goto(scene.address)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_label("Zoe")).to_contain_text("Connected")


def test_an_open_dashboard_says_by_itself_that_access_is_lost_where_it_is_seen_first(scene: Scene) -> None:
    made = scene.command("unit", "add", "home-1")
    scene.command("unit", "claim", made["claim_code"], scene.name)
    connect(scene)
    page, elsewhere = scene.page, scene.page.context.new_page()
    page.set_viewport_size(PHONE)
    page.goto(scene.address)
    elsewhere.goto(f"{scene.address}/account/vehicles")
    elsewhere.get_by_role("link", name="Zoe").click()
    scene.maker.end_every_grant()
    elsewhere.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("alert")).to_contain_text(LOST, timeout=2 * PATIENCE_MS)
    box = page.get_by_role("alert").get_by_role("button", name="Refresh").bounding_box()
    assert box and box["y"] + box["height"] <= PHONE["height"], "above the fold"


def test_vehicle_details_lead_back_to_a_linked_car(scene: Scene) -> None:
    connect(scene)
    lose(scene)
    page = scene.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Account").click()
    page.get_by_role("link", name="Vehicle Details").click()
    page.get_by_role("link", name="Zoe").click()
    page.get_by_role("link", name="Connect your Vehicle").click()
    page.get_by_role("button", name="Continue").click()
    authorise(page, scene.maker)
    expect(page.get_by_text("Your vehicle is connected")).to_be_visible()
    page.goto(f"{scene.address}/account/vehicles")
    expect(page.get_by_role("link", name="Zoe")).to_have_count(1)
    page.goto(scene.address)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_driver_who_says_no_is_told_that_nothing_changed(scene: Scene) -> None:
    page = scene.page
    page.goto(f"{scene.address}/account/vehicles/connect")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{scene.maker.address}/**")
    page.get_by_role("link", name="[ Cancel ]").click()
    expect(page.get_by_role("alert")).to_contain_text("You did not give access")


def test_a_return_is_good_once_and_in_its_own_browser_only(scene: Scene) -> None:
    """An attacker uses the address of a return again, and in another browser."""
    seen: list[str] = []
    scene.page.on("request", lambda request: seen.append(request.url))
    connect(scene)
    used = next(url for url in seen if "/vehicles/return/" in url)
    scene.page.goto(used)
    expect(scene.page.get_by_role("alert")).to_contain_text("That way back was too old")
    stranger = scene.browser.new_context()
    page = stranger.new_page()
    page.goto(used)
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    stranger.close()


def test_a_driver_without_a_charger_has_the_vehicles_first_and_an_open_page_asks_again(scene: Scene) -> None:
    connect(scene)
    page = scene.page
    page.clock.install()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Vehicles").click()
    expect(page.get_by_role("heading", name="Last heard from your car account")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Charging")
    assert not violations(page, axe_script())
    page.get_by_role("link", name="Add a charger").focus()
    with page.expect_response(scene.address + "/"):
        page.clock.fast_forward(61_000)
    expect(page.get_by_role("link", name="Add a charger")).to_be_focused()
    expect(page.get_by_role("heading", level=1)).to_have_text("Charging")
    page.context.clear_cookies()
    page.clock.fast_forward(61_000)
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
