"""`python -m hil_tests.home_assistant.screenshot`: take the picture for the README, a device's page in the real Home
Assistant."""

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from hil_tests.home_assistant.conftest import Home
from hil_tests.web.cloud_fixture import CHROMIUM

PICTURE = Path(__file__).with_name("device.png")
WIDTH, HEIGHT = 1280, 1240
PATIENCE_MS = 60_000
HEARTBEAT = {"s": "C2", "m": "smart", "q": 17, "a": 16, "w": 3650, "e": 1_284_200, "f": []}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="chargekeeper-home-") as folder:
        home = Home(Path(folder))
        try:
            home.open()
            home.home.start()
            home.cloud.connect(home.units["one"]).report("heartbeat", t=int(time.time()), **HEARTBEAT)
            home.home.add_mqtt(home.port, "dora", home.token)
            home.until("sensor.one_state", "charging")
            _take(home)
        finally:
            home.home.stop()
            home.cloud.stop()
    print(PICTURE)
    return 0


def _take(home: Home) -> None:
    devices = home.home.ask("config/device_registry/list")
    (device,) = [one["id"] for one in devices if one["manufacturer"] == "Chargekeeper"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.add_init_script(f"localStorage.setItem('hassTokens', {home.home.browser_storage()!r})")
        page.goto(f"{home.home.address}/config/devices/device/{device}")
        expect(page.get_by_text("Last contacted")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text("Current limit")).to_be_visible(timeout=PATIENCE_MS)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
