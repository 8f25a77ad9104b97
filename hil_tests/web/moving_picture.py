"""`python -m hil_tests.web.moving_picture`: record the panel of a real unit as hil_tests/screenshots/moving/panel.webp.

The vehicle is plugged in, all networks are cut, the mains are off for 30 seconds, and the networks come back. The unit runs in
real time; the picture has one frame for every few hundred milliseconds or seconds of it.
"""

import argparse
import io
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from hil_tests.fixtures.background import Background
from hil_tests.fixtures.ports import free_ports
from hil_tests.rig.panel.server import serving
from hil_tests.rig.virtual import VirtualRig
from hil_tests.scenarios.system import introduce
from hil_tests.web.cloud_fixture import CHROMIUM, WebCloudFixture
from hil_tests.web.place_cloud import PlaceCloud

KEPT = Path(__file__).parents[1] / "screenshots" / "moving" / "panel.webp"
WIDTH, HEIGHT = 960, 500  # CSS pixels
SHOWN = (640, 333)  # pixels
SCENE_ALONE = ".top, .story { display: none }"
QUALITY = 45  # of WebP; an animated PNG would be 2 MB
FRAME_MS = 700
LAST_MS = 3000
WITHIN_MS = 90_000


class Scene(NamedTuple):
    """Click `act`, if any; then take a frame `every_ms` until `where` contains `until`, and `after` more frames."""

    act: str | None
    where: str
    until: str
    every_ms: int
    after: int


SCENES = (
    Scene(None, "#headline", "Ready", 500, 1),
    Scene("#plug", "#headline", "Charging at 7", 500, 2),
    Scene("#network-switch", "#subline", "Link lost", 3000, 2),
    Scene("#mains-cut", "#headline", "Charging at 7", 5000, 1),
    Scene("#network-switch", "#subline", "link proven", 3000, 2),
)


def frames(seen: Page, scenes: tuple[Scene, ...]) -> list[Image.Image]:
    """Return the frames of all scenes."""
    taken: list[Image.Image] = []

    def take() -> None:
        picture = Image.open(io.BytesIO(seen.screenshot()))
        taken.append(picture.convert("RGB").resize(SHOWN))

    for scene in scenes:
        if scene.act is not None:
            seen.click(scene.act)
            seen.evaluate("scrollTo(0, 0)")
        left_ms = WITHIN_MS
        take()
        while scene.until not in seen.inner_text(scene.where) and left_ms > 0:
            seen.wait_for_timeout(scene.every_ms)
            left_ms -= scene.every_ms
            take()
        for _ in range(scene.after):
            seen.wait_for_timeout(scene.every_ms)
            take()
    return taken


def main() -> int:
    """Exit code 1 if the unit did not reach the last scene in time."""
    argparse.ArgumentParser(prog="python -m hil_tests.web.moving_picture", description=__doc__).parse_args()
    background, stack = Background(), AsyncExitStack()
    with tempfile.TemporaryDirectory(prefix="chargekeeper-picture-") as name, sync_playwright() as playwright:
        folder = Path(name)
        place, rig = WebCloudFixture(folder / "cloud", tls=True), VirtualRig(background, folder / "unit", 7)
        try:
            place.person("dora", "driver")
            introduce(rig, "CK-0001", place.unit("CK-0001", "dora")["secret"], place.bridge)
            panel = serving(rig.unit, free_ports(1)[0], cloud=PlaceCloud(place))
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            seen = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, bypass_csp=True)
            seen.goto(background.run(stack.enter_async_context(panel)))
            seen.add_style_tag(content=SCENE_ALONE)
            expect(seen.locator("#subline")).to_contain_text("link proven", timeout=WITHIN_MS)
            taken = frames(seen, SCENES)
            is_done = SCENES[-1].until in seen.inner_text(SCENES[-1].where)
        finally:
            background.run(stack.aclose())
            rig.close()
            place.stop()
            background.close()
    lasting = [FRAME_MS] * (len(taken) - 1) + [LAST_MS]
    taken[0].save(KEPT, save_all=True, append_images=taken[1:], duration=lasting, loop=0, quality=QUALITY, method=6)
    print(f"{KEPT}: {len(taken)} frames, {KEPT.stat().st_size:,} bytes")
    return 0 if is_done else 1


if __name__ == "__main__":
    sys.exit(main())
