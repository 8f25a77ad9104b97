"""`make screenshots`: the pictures of the README, taken of the running product into hil_tests/screenshots/.

A unit on the virtual board charges: its dashboard, its panel, its history, what its installer sees of a visit that
helped, and what a driver reads after 31 minutes of silence.
"""

import argparse
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from hil_tests.fixtures.background import Background
from hil_tests.fixtures.ports import free_ports
from hil_tests.rig.panel.server import serving
from hil_tests.rig.virtual import VirtualRig
from hil_tests.scenarios.system import introduce
from hil_tests.web.cloud_fixture import CHROMIUM, DAY_MS, WebCloudFixture
from hil_tests.web.place_cloud import PlaceCloud

FOLDER = Path(__file__).parents[1] / "screenshots"
CHARGING_WITHIN_MS = 60_000
SILENT_WITHIN_MS = 60_000


def take(place: WebCloudFixture, rig: VirtualRig, panel: str, browser: Browser) -> None:
    """All of them, in the order of the story."""
    phone = browser.new_context(viewport={"width": 400, "height": 860}, device_scale_factor=2).new_page()
    desk = browser.new_context(viewport={"width": 1280, "height": 1180}).new_page()
    place.log_in(phone, "dora")
    desk.goto(panel)
    rig.plug()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Charging", timeout=CHARGING_WITHIN_MS)
    expect(phone.locator(".state")).to_contain_text("kW", timeout=CHARGING_WITHIN_MS)
    phone.screenshot(path=FOLDER / "dashboard.png")
    desk.screenshot(path=FOLDER / "panel.png")
    place.two_weeks_of_signal("CK-0001")
    phone.goto(f"{place.address}/charge-points/CK-0001/history?days=7")
    phone.locator("#signal").evaluate("heading => scrollTo(0, heading.closest('section').offsetTop - 16)")
    phone.screenshot(path=FOLDER / "history.png")
    a_visit_that_helped(place, desk)
    desk.screenshot(path=FOLDER / "evidence.png")
    phone.goto(f"{place.address}/")
    rig.network(up=False)
    place.minutes_pass(31)
    expect(phone.get_by_role("alert")).to_be_visible(timeout=SILENT_WITHIN_MS)
    phone.screenshot(path=FOLDER / "silent.png")


def a_visit_that_helped(place: WebCloudFixture, desk: Page) -> None:
    """Ingo put up an antenna four days ago; his page of it."""
    place.log_in(desk, "sue")
    desk.goto(f"{place.address}/charge-points/CK-0001/jobs")
    desk.get_by_role("button", name="Raise it").click()
    desk.get_by_role("button", name="I was there just now").click()
    place.store(
        f"UPDATE jobs SET raised_ms = raised_ms - {9 * DAY_MS}, visited_ms = visited_ms - {4 * DAY_MS}",
        "UPDATE signal_5min SET lowest = lowest + 6, highest = highest + 6, total = total + 6 * samples"
        " WHERE from_ms > (SELECT max(visited_ms) FROM jobs)",
        "DELETE FROM contact_gaps WHERE to_ms > (SELECT max(visited_ms) FROM jobs)",
    )
    desk.context.clear_cookies()
    place.log_in(desk, "ingo")
    desk.set_viewport_size({"width": 900, "height": 1000})
    desk.goto(f"{place.address}/jobs/1")


def main() -> int:
    argparse.ArgumentParser(prog="python -m hil_tests.web.screenshots", description=__doc__).parse_args()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chargekeeper-screenshots-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        background, stack = Background(), AsyncExitStack()
        place, rig = WebCloudFixture(Path(folder), tls=True), VirtualRig(background, Path(folder) / "unit", 7)
        try:
            for name, role in (("dora", "driver"), ("ingo", "installer"), ("sue", "support")):
                place.person(name, role)
            introduce(rig, "CK-0001", place.unit("CK-0001", "dora")["secret"], place.bridge)
            place.command("unit", "assign", "CK-0001", "ingo")
            panel = background.run(
                stack.enter_async_context(serving(rig.unit, free_ports(1)[0], cloud=PlaceCloud(place)))
            )
            take(place, rig, panel, browser)
        finally:
            browser.close()
            background.run(stack.aclose())
            rig.close()
            place.stop()
            background.close()
    for picture in sorted(FOLDER.glob("*.png")):
        print(picture.relative_to(FOLDER.parents[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
