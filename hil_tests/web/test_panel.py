"""Does the panel work in a real browser: roaming, explanations beside figures, the state of the cloud, any window size?"""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from hil_tests.fixtures.background import Background
from hil_tests.fixtures.ports import free_ports
from hil_tests.rig.panel.cloud_side import RUNNING
from hil_tests.rig.panel.server import serving
from hil_tests.rig.virtual import VirtualRig
from hil_tests.web.axe import axe_script, violations
from hil_tests.web.cloud_fixture import PATIENCE_MS

DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
ENLARGED: ViewportSize = {"width": 195, "height": 422}  # the phone at 200 %
SKIPPED = "31 minutes skipped"


class StubCloud:
    """A cloud that only has a view."""

    def __init__(self) -> None:
        self.state, self.trouble, self.skipped_minutes = RUNNING, "", 0

    def view(self) -> dict[str, Any]:
        return {
            "address": "http://127.0.0.1:8080",
            "state": self.state,
            "trouble": self.trouble,
            "skipped_minutes": self.skipped_minutes,
            "operator_code": {"code": "012345", "for_s": 7},
        }

    async def skip(self, minutes: int) -> None:
        self.skipped_minutes += minutes


@dataclass(frozen=True)
class Scene:
    cloud: StubCloud
    address: str


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A unit with real firmware, and its panel."""
    background, stack, cloud = Background(), AsyncExitStack(), StubCloud()
    rig = VirtualRig(background, tmp_path_factory.mktemp("unit"), 7)
    try:
        address = background.run(stack.enter_async_context(serving(rig.unit, free_ports(1)[0], cloud=cloud)))
        yield Scene(cloud, address)
    finally:
        background.run(stack.aclose())
        rig.close()
        background.close()


@pytest.fixture
def panel(scene: Scene, browser: Browser) -> Iterator[Page]:
    """The panel at the size of a desk. The test fails if it logs an error."""
    page = browser.new_context(viewport=DESK).new_page()
    page.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(scene.address)
    expect(page.locator("#networks .network")).to_have_count(3)
    yield page
    page.context.close()
    assert not errors, errors


def test_switching_a_mast_off_lets_the_modem_roam_to_the_next_strongest(panel: Page) -> None:
    """There are three networks, each with its own signal. Does the panel show the signal of the one in use?"""
    in_use, csq = panel.locator(".network.serves"), panel.locator("#csq")
    expect(in_use).to_contain_text("vodafone UK")
    expect(csq).to_have_text("22")
    panel.get_by_label("Signal of EE, CSQ").fill("29")
    expect(csq).to_have_text("22")  # a modem does not leave a good network for a better one
    panel.get_by_role("button", name="vodafone UK").click()
    expect(in_use).to_contain_text("EE")
    expect(panel.locator("#network-note")).to_contain_text("EE, 23430. Moved there from vodafone UK.")
    expect(csq).to_have_text("29")
    panel.get_by_role("button", name="EE").click()
    expect(in_use).to_contain_text("O2 - UK")
    expect(csq).to_have_text("17")


def test_pilot_letters_and_csq_are_explained_where_they_stand(panel: Page) -> None:
    pilot = panel.locator(".meters .card").filter(has=panel.locator("#pilot"))
    panel.locator("#plug").click()
    expect(pilot).to_contain_text("C2")
    expect(pilot).to_contain_text("C: car asks for energy. 2: the unit offers current")
    signal = panel.locator(".meters .card").filter(has=panel.locator("#csq"))
    expect(signal).to_contain_text("CSQ is the signal as a modem measures it, from 0 to 31")


def test_time_can_be_skipped_once_the_unit_is_cut_off(panel: Page) -> None:
    """And not before, because the unit would report at once?"""
    skip = panel.locator("#skip")
    expect(skip).to_be_disabled()
    expect(panel.locator("#skip-note")).to_contain_text("cut the network first")
    panel.locator("#network-switch").click()
    skip.click()
    expect(panel.locator("#skip-note")).to_contain_text(SKIPPED)
    panel.locator("#network-switch").click()
    expect(skip).to_be_disabled()


def test_the_truth_about_a_cloud_that_stopped_is_on_the_page(panel: Page, scene: Scene) -> None:
    expect(panel.locator("#cloud-trouble")).to_be_hidden()
    scene.cloud.state, scene.cloud.trouble = "stopped", "exit code 1: no space left"
    expect(panel.get_by_text("The cloud side does not run: exit code 1: no space left")).to_be_visible()
    scene.cloud.state, scene.cloud.trouble = RUNNING, ""
    expect(panel.locator("#cloud-trouble")).to_be_hidden()


@pytest.mark.parametrize("size", [DESK, PHONE, ENLARGED], ids=["desk", "phone", "phone at 200 %"])
def test_it_fits_and_can_be_used_by_everybody(panel: Page, size: ViewportSize) -> None:
    """Is nothing wider than the window, and is no rule of axe violated?"""
    panel.set_viewport_size(size)
    assert panel.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    found = violations(panel, axe_script())
    assert not found, found
