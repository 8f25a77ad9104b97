"""`make screenshots`: take the pictures of gallery.py from the running product, into hil_tests/screenshots/.

The browser's clock stands still, so the pages of street.py are the same in every run, except for a pixel of a chart's line. A
picture that differs from the existing one in less than CHANGED of its pixels is therefore not replaced. The panel shows a real
unit on the virtual board and changes with its measurements.
"""

import argparse
import base64
import os
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from io import StringIO
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from hil_tests.fixtures.background import Background
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.modem_process import simulated_modem
from hil_tests.fixtures.ports import free_ports
from hil_tests.rig.panel.server import serving
from hil_tests.rig.virtual import VirtualRig
from hil_tests.scenarios.system import introduce
from hil_tests.web.cloud_fixture import CHROMIUM, WebCloudFixture
from hil_tests.web.gallery import PHONE, PICTURES, RIG, STREET, TERMINAL, Picture, page
from hil_tests.web.place_cloud import PlaceCloud
from hil_tests.web.street import EVENING_S, Street, street

FOLDER = Path(__file__).parents[1] / "screenshots"
WITHIN_MS = 60_000
QUALITIES = (82, 70, 55, 40)  # of WebP: use the first that gives a file of at most SMALL_BYTES
SMALL_BYTES = 60_000
CHANGED = 0.001  # share of all pixels: more than the seconds of "checked at", less than a word
FAINT = 24  # of 255: a pixel that differs by less counts as equal
LOGGED_S = 2  # entries of the security log are written within a second
SETTLED_MS = 400  # time for charts and fonts
COLUMNS = 100
WEAK = [{"plmn": "23415", "name": "vodafone UK", "csq": 9}]
PAPER = """<body style="margin:0;background:#11181c"><pre style="margin:24px;color:#e6edf0;font:15px/1.35 'DejaVu Sans Mono',
monospace">{code}</pre></body>"""
DIFFERENCE = """async ([before, after, faint]) => {
  const pixels = async (url) => {
    const image = await createImageBitmap(await (await fetch(url)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return [image.width, image.height, context.getImageData(0, 0, image.width, image.height).data];
  };
  const [width, height, one] = await pixels(before), [otherWidth, otherHeight, other] = await pixels(after);
  if (width !== otherWidth || height !== otherHeight) return 1;
  let different = 0;
  for (let at = 0; at < one.length; at += 4) {
    if ([0, 1, 2].some((channel) => Math.abs(one[at + channel] - other[at + channel]) > faint)) different++;
  }
  return different / (width * height);
}"""


class Camera:
    """Takes pictures with one browser, and writes those that have changed."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._judge = browser.new_page()

    def look(self, picture: Picture, is_shown_time: bool = True) -> Page:
        """Return a page of the picture's size and theme."""
        width, height = picture.size
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if picture.theme == "dark" else "light",
            device_scale_factor=2 if picture.size == PHONE else 1,
            reduced_motion="reduce",
            timezone_id="Europe/London",
            locale="en-GB",
        )
        seen = context.new_page()
        seen.set_default_timeout(WITHIN_MS)
        if is_shown_time:
            seen.clock.set_fixed_time(EVENING_S * 1000)
        return seen

    def take(self, picture: Picture, seen: Page) -> None:
        seen.wait_for_load_state()
        seen.wait_for_timeout(SETTLED_MS)
        devtools = seen.context.new_cdp_session(seen)
        for quality in QUALITIES:
            told = devtools.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
            content = base64.b64decode(told["data"])
            if len(content) <= SMALL_BYTES:
                break
        else:
            raise SystemExit(f"{picture.name} has {len(content)} bytes: make it smaller in gallery.py")
        self._keep(FOLDER / f"{picture.name}.webp", content)

    def _keep(self, path: Path, content: bytes) -> None:
        share = 1.0
        if path.exists():
            urls = [f"data:image/webp;base64,{base64.b64encode(one).decode()}" for one in (path.read_bytes(), content)]
            share = self._judge.evaluate(DIFFERENCE, [*urls, FAINT])
        if share >= CHANGED:
            path.write_bytes(content)
        print(
            f"{path.name:24} {path.stat().st_size // 1000:3} kB  {'new' if share >= CHANGED else 'unchanged'} ({share:.2%})"
        )


def of_street(camera: Camera, pictures: list[Picture], place: Street) -> None:
    """Take the pictures of the street. Each person logs in once for each size and theme, before the first picture."""
    pages: dict[tuple[str, tuple[int, int], str], Page] = {}
    for picture in pictures:
        key = (picture.who, picture.size, picture.theme)
        if key not in pages:
            pages[key] = camera.look(picture)
            place.place.log_in(pages[key], picture.who)
    time.sleep(LOGGED_S)
    place.settle_log()
    for picture in pictures:
        seen = pages[picture.who, picture.size, picture.theme]
        seen.goto(f"{place.place.address}{picture.path}")
        if picture.at:
            seen.locator(picture.at).first.evaluate("part => scrollTo(0, part.offsetTop - 16)")
        camera.take(picture, seen)


def of_terminal(camera: Camera, picture: Picture, folder: Path) -> None:
    """Take the final output of the installer's tool on a simulated modem with a weak signal."""
    with simulated_modem(folder / "modem", operators=WEAK) as port:
        words = [sys.executable, *picture.path.split()[1:], "--port", str(port), "--out", str(folder / "report.html")]
        environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
        done = subprocess.run(
            words, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    last = done.stdout.rpartition("\x1b[2K")[2].replace(f"{folder}/", "")
    console = Console(record=True, file=StringIO(), width=COLUMNS)
    console.print(Text.from_ansi(f"$ {picture.path}\n\n{last}"))
    seen = camera.look(picture)
    seen.set_content(PAPER.format(code=console.export_html(theme=MONOKAI, inline_styles=True, code_format="{code}")))
    camera.take(picture, seen)


def of_rig(camera: Camera, picture: Picture, folder: Path) -> None:
    """Take the panel of a unit that charges and is connected to its cloud."""
    background, stack = Background(), AsyncExitStack()
    place, rig = WebCloudFixture(folder / "cloud", tls=True), VirtualRig(background, folder / "unit", 7)
    try:
        place.person("dora", "driver")
        introduce(rig, "CK-0001", place.unit("CK-0001", "dora")["secret"], place.bridge)
        panel = serving(rig.unit, free_ports(1)[0], cloud=PlaceCloud(place))
        seen = camera.look(picture, is_shown_time=False)
        seen.goto(background.run(stack.enter_async_context(panel)))
        rig.plug()
        expect(seen.locator("body")).to_contain_text("Charging at 7", timeout=WITHIN_MS)
        expect(seen.locator("body")).to_contain_text("link proven", timeout=WITHIN_MS)
        camera.take(picture, seen)
    finally:
        background.run(stack.aclose())
        rig.close()
        place.stop()
        background.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m hil_tests.web.screenshots", description=__doc__)
    parser.add_argument("name", nargs="*", help="picture of gallery.py; default: all")
    names = parser.parse_args().name
    wanted = [picture for picture in PICTURES if picture.name in names or not names]
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chargekeeper-screenshots-") as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        camera = Camera(browser)
        if on_street := [picture for picture in wanted if picture.where == STREET]:
            with street(folder / "street") as place:
                place.settle()
                of_street(camera, on_street, place)
        for picture in wanted:
            if picture.where == TERMINAL:
                of_terminal(camera, picture, folder)
            elif picture.where == RIG:
                of_rig(camera, picture, folder)
        browser.close()
    (FOLDER / "README.md").write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
