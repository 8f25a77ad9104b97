"""`python -m hil_tests.web.trees`: writes the accessibility trees of the mission's pages anew, one text each in `trees/`.

A tree is what a screen reader is given of a page: roles, names, states, in order. test_trees.py compares it with what is kept,
so that a change of it is seen as a difference of lines and is somebody's decision. Figures, times and dates are made the same
each time (`settled`), so the clock of the machine does not matter.
"""

import argparse
import difflib
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from hil_tests.web.cloud_fixture import CHROMIUM, PATIENCE_MS, WebCloudFixture
from hil_tests.web.five_tasks import Home, move_in
from hil_tests.web.visitor import LOOKS

FOLDER = Path(__file__).with_name("trees")
LOOK = "phone"
SILENT_MIN = 40
DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
SETTLED = (  # what changes by itself, and what stands for it
    (re.compile(r"\[level=(\d)\]"), r"[level=\1]"),
    (re.compile(rf"\b(?:{DAYS})\b,? "), ""),
    (re.compile(rf"\b(?:{MONTHS})\b"), "Month"),
    (re.compile(r"\b(?:GMT|BST)\b"), "zone"),
    (re.compile(r"Just now|\d+ (?:second|minute|hour|day)s? ago"), "# ago"),
    (re.compile(r"\b\d+ (second|minute|hour|day)s?\b"), r"# \1s"),
    (re.compile(r"Today and tonight|Tonight"), "Tonight"),
    (re.compile(r" tomorrow\b"), ""),
    (re.compile(r"(?<!level=)\d+(?:[.,:]\d+)*"), "#"),
)
VEHICLE = (
    "INSERT INTO vehicles (person_id, provider, car_id, vin, name, created_ms, state, since_ms, due_ms, seen_ms, "
    f"battery_percent, plugged_in, charging) SELECT id, 'tesla', 'tree', '5YJ', 'Bluebell', 0, 'linked', 0, {1 << 50}, "
    "{now_ms}, 60, 1, 0 FROM people WHERE name = '{driver}'"
)
LOST = "UPDATE vehicles SET state = 'access_lost', reason = 'consent_gone' WHERE car_id = 'tree'"


def settled(tree: str) -> str:
    """Of a page, without what is another each time."""
    for pattern, instead in SETTLED:
        tree = pattern.sub(instead, tree)
    return tree.rstrip() + "\n"


def trees(browser: Browser, place: WebCloudFixture) -> Iterator[tuple[str, str]]:
    """Name and tree of each page, in the order of the mission. `place` has sue of support; it is silent in the end."""
    home = move_in(place, "tree")
    vehicle = VEHICLE.format(now_ms=int(place.now_s() * 1000), driver=home.driver)
    place.store(vehicle)
    yield from _of(browser, place, home.driver, _pages(home))
    yield from _of(browser, place, home.installer, {"jobs": "/jobs"})
    yield from _of(browser, place, "sue", {"support": f"/charge-points/{home.unit_id}/jobs"})
    place.store(LOST)
    place.minutes_pass(SILENT_MIN)
    yield from _of(browser, place, home.driver, {"silent": "/", "lost-account": "/account/vehicles"})


def _pages(home: Home) -> dict[str, str]:
    charger = f"/charge-points/{home.unit_id}"
    return {
        "dashboard": "/",
        "charging": f"{charger}/charging",
        "ask-for-help": f"{charger}/support",
        "account": "/account",
        "vehicle-details": "/account/vehicles",
    }


def _of(browser: Browser, place: WebCloudFixture, name: str, pages: dict[str, str]) -> Iterator[tuple[str, str]]:
    page = browser.new_context(**LOOKS[LOOK]).new_page()
    place.log_in(page, name)
    for tree, path in pages.items():
        page.goto(f"{place.address}{path}")
        if tree == "silent":
            expect(page.get_by_role("alert").first).to_be_visible(timeout=PATIENCE_MS)
        yield tree, settled(page.locator("body").aria_snapshot())
    page.context.close()


def difference(name: str, tree: str) -> list[str]:
    """Lines of a unified diff between what is kept and this one; none: they are the same."""
    kept = FOLDER / f"{name}.txt"
    before = kept.read_text().splitlines() if kept.exists() else []
    return list(difflib.unified_diff(before, tree.splitlines(), f"trees/{name}.txt", "the page now", lineterm=""))


def main() -> int:
    argparse.ArgumentParser(prog="python -m hil_tests.web.trees", description=__doc__).parse_args()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chargekeeper-trees-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        place = WebCloudFixture(Path(folder))
        try:
            place.person("sue", "support")
            for name, tree in trees(browser, place):
                print(*difference(name, tree), sep="\n")
                (FOLDER / f"{name}.txt").write_text(tree)
        finally:
            browser.close()
            place.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
