"""Does the whole story work: charging, no network, 31 minutes of silence, the steps, "it is back"?

A real firmware process runs on the virtual board. One tab shows its panel's guided story, another the dashboard.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hil_tests.fixtures.background import Background
from hil_tests.fixtures.ports import free_ports
from hil_tests.rig.panel.server import serving
from hil_tests.rig.virtual import VirtualRig
from hil_tests.scenarios.system import charging, introduce
from hil_tests.web.cloud_fixture import WebCloudFixture
from hil_tests.web.place_cloud import PlaceCloud

LINK_WITHIN_MS = 240_000  # deadlines; the time is 30 s without mains, then the modem's start and registration
CHARGING_WITHIN_MS = 120_000
BACK_WITHIN_MS = 480_000
TIMER_MS = 120_000


@dataclass(frozen=True)
class Scene:
    place: WebCloudFixture
    rig: VirtualRig
    panel: str


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Dora's home, with a unit that has just been installed."""
    background, stack = Background(), AsyncExitStack()
    place = WebCloudFixture(tmp_path, tls=True)
    rig = VirtualRig(background, tmp_path / "unit", 7)
    try:
        place.person("dora", "driver")
        made = place.unit("CK-0001", "dora")
        introduce(rig, "CK-0001", made["secret"], place.bridge)
        panel = background.run(stack.enter_async_context(serving(rig.unit, free_ports(1)[0], cloud=PlaceCloud(place))))
        yield Scene(place, rig, panel)
    finally:
        background.run(stack.aclose())
        rig.close()
        place.stop()
        background.close()


@pytest.mark.timeout(900)
def test_silent_steps_followed_and_back(scene: Scene, browser: Browser) -> None:
    dashboard, panel = tab(browser), tab(browser)
    scene.place.log_in(dashboard, "dora")
    panel.goto(scene.panel)

    do(panel, "Plug in")
    scene.rig.wait_for(charging, CHARGING_WITHIN_MS / 1000)
    expect(dashboard.get_by_role("heading", level=1)).to_have_text("Charging", timeout=LINK_WITHIN_MS)
    expect(dashboard.locator(".glance").first).to_have_text("Working")

    do(panel, "Cut the network")
    scene.rig.wait_for(lambda seen: not seen.network.up, CHARGING_WITHIN_MS / 1000)
    do(panel, "Skip 31 minutes")
    alert = dashboard.get_by_role("alert")
    expect(alert).to_contain_text("We have not heard from your charger for 31 minutes", timeout=LINK_WITHIN_MS)
    expect(alert).to_contain_text("You can still charge")
    assert scene.rig.observe().contactor, "it continues to charge"

    do(panel, "Network back, and off for 30 s")
    dashboard.get_by_role("button", name="Start the 30 seconds").click()
    expect(dashboard.get_by_text("Switch it on again now.")).to_be_visible(timeout=TIMER_MS)

    expect(dashboard.get_by_role("heading", name="It is back")).to_be_visible(timeout=BACK_WITHIN_MS)
    expect(alert).to_be_hidden()
    expect(dashboard.get_by_role("heading", level=1)).to_have_text("Charging", timeout=CHARGING_WITHIN_MS)
    expect(panel.locator("#story li.past")).to_have_count(5, timeout=CHARGING_WITHIN_MS)


def do(panel: Page, button: str) -> None:
    """Click the button of a step, once it is the current step."""
    panel.locator("#story li.now").get_by_role("button", name=button, exact=True).click(timeout=CHARGING_WITHIN_MS)


def tab(browser: Browser) -> Page:
    return browser.new_context(viewport={"width": 390, "height": 844}).new_page()
