"""`python -m hil_tests.web.trees`: write the accessibility trees of the mission's pages to `trees/`, one text file each.

An accessibility tree is what a screen reader gets: roles, names and states, in order. There is one for each page on which
mission.py finds a sentence, all of the same street. test_street.py compares the pages with the stored trees, so that each
change shows as a diff and is deliberate. `settled` replaces changing figures, but not those that are promises; dates are of
the street's own evening.
"""

import argparse
import difflib
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from hil_tests.web.cloud_fixture import CHROMIUM, PATIENCE_MS
from hil_tests.web.residents import Residents
from hil_tests.web.street import HOMES, Street, street

FOLDER = Path(__file__).with_name("trees")
PROMISES = re.compile(r"(\b30 (?:seconds|minutes)\b(?! ago)|(?<=[Aa]bove )14\b|(?<=more than )14\b|\b14(?=: above))")
SETTLED = (  # what changes between runs, and its replacement
    (re.compile(r"(?<=/choose/)\w+"), "#"),
    (re.compile(r"Just now|\d+ (?:second|minute|hour|day)s? ago"), "# ago"),
    (re.compile(r"\b\d+ (second|minute|hour|day)s?\b"), r"# \1s"),
    (re.compile(r"(?<!level=)\d+(?:[.,:]\d+)*"), "#"),
)
READ = {  # pages by reader; those of lou and sam are read on their ways through the app
    "dora": {
        "dashboard": "/",
        "vehicles": "/vehicles",
        "history": f"/charge-points/{HOMES['dora']}/history",
        "account": "/account",
    },
    "hana": {"charger-alone": "/", "charging": f"/charge-points/{HOMES['hana']}/charging"},
    "carl": {"car-alone": "/"},
    "rita": {"red-light": "/"},
    "ingo": {"jobs": "/jobs", "job": "/jobs/1"},
    "sue": {"inbox": "/support", "support": f"/charge-points/{HOMES['sam']}/jobs", "fleet": "/fleet"},
}
LOST = {
    "ask-for-help": f"/charge-points/{HOMES['lou']}/support",
    "lost-account": "/",
    "vehicle-details": "/account/vehicles",
    "vehicle": "/account/vehicles/2",
}


def settled(tree: str) -> str:
    """Return the tree of a page without what changes between runs."""
    parts = PROMISES.split(tree)  # parts with odd indices are promises
    for pattern, instead in SETTLED:
        parts[::2] = [pattern.sub(instead, part) for part in parts[::2]]
    return "".join(parts).rstrip() + "\n"


def trees(residents: Residents, here: Street) -> Iterator[tuple[str, str]]:
    """Yield name and tree of each page. Afterwards sam waits for an answer, and lou's car account is connected again."""
    here.speak()
    yield from _help_with_silence(residents)
    for name, pages in READ.items():
        yield from _read(residents, name, pages)
    yield from _read(residents, "lou", LOST)
    yield from _way_back(residents)


def _tree_of(page: Page) -> str:
    return settled(page.locator("body").aria_snapshot())


def _read(residents: Residents, name: str, pages: dict[str, str]) -> Iterator[tuple[str, str]]:
    with residents.page_of(name) as page:
        for tree, path in pages.items():
            page.goto(path)
            yield tree, _tree_of(page)


def _help_with_silence(residents: Residents) -> Iterator[tuple[str, str]]:
    """Follow sam's request for help: one tap sends support the message."""
    with residents.page_of("sam") as page:
        page.goto("/")
        expect(page.get_by_role("alert")).to_be_visible(timeout=PATIENCE_MS)
        yield "silent", _tree_of(page)
        page.get_by_role("button", name="Get help with this charger").click()
        expect(page.get_by_role("main")).to_contain_text("We have your message", timeout=PATIENCE_MS)
        yield "message", _tree_of(page)


def _way_back(residents: Residents) -> Iterator[tuple[str, str]]:
    """Follow lou's way back: Refresh leads to the page with Continue, as Account does, then one tap at the car maker."""
    with residents.page_of("lou") as page:
        page.goto("/")
        page.get_by_role("alert").get_by_role("button", name="Refresh").click()
        proceed = page.get_by_role("button", name="Continue")
        expect(proceed).to_be_visible(timeout=PATIENCE_MS)
        yield "connect", _tree_of(page)
        proceed.click()
        page.get_by_role("button", name="Allow", exact=True).click()
        expect(page.get_by_role("heading", name="Your vehicle is connected")).to_be_visible(timeout=PATIENCE_MS)
        yield "connected", _tree_of(page)
        page.goto("/")
        yield "account-back", _tree_of(page)


def difference(name: str, tree: str) -> list[str]:
    """Return the unified diff between the stored tree and this one; [] if they are equal."""
    kept = FOLDER / f"{name}.txt"
    before = kept.read_text().splitlines() if kept.exists() else []
    return list(difflib.unified_diff(before, tree.splitlines(), f"trees/{name}.txt", "the page now", lineterm=""))


def main() -> int:
    argparse.ArgumentParser(prog="python -m hil_tests.web.trees", description=__doc__).parse_args()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chargekeeper-trees-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with street(Path(folder)) as here:
            here.settle()
            for name, tree in trees(Residents(browser, here.place), here):
                print(*difference(name, tree), sep="\n")
                (FOLDER / f"{name}.txt").write_text(tree)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
