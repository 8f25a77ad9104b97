"""One cloud and one browser for all tests of pages."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from hil_tests.web.cloud_fixture import CHROMIUM, PATIENCE_MS, WebCloudFixture
from hil_tests.web.letters import Letters

SHELL = "chromium-headless-shell"  # Debian's package and program

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium's headless shell, if installed: the same engine for less than half of the processor time."""
    browser = playwright.chromium.launch(executable_path=shutil.which(SHELL) or CHROMIUM, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def whole_browser(playwright: Playwright) -> Iterator[Browser]:
    """Full Chromium, for what the headless shell lacks: it shows no notifications."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def letters() -> Iterator[Letters]:
    """The mail server that receives the bridge's letters."""
    letters = Letters()
    yield letters
    letters.close()


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, letters: Letters) -> Iterator[WebCloudFixture]:
    """Dora has a charger that charges, and ingo is its installer. One for all tests, because a bridge takes seconds to
    start."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHARGEKEEPER_MAIL", letters.address)
        place = WebCloudFixture(tmp_path_factory.mktemp("the place"))
    try:
        for name, role in (("dora", "driver"), ("ingo", "installer"), ("sue", "support"), ("olga", "operator")):
            place.person(name, role)
        charger = place.charger("CK-0001", "dora")
        place.command("unit", "assign", "CK-0001", "ingo")
        charger.report("heartbeat", s="A1", m="smart", q=18, o="23415", a=0, w=0, e=124000, f=[])
        place.two_weeks_of_signal("CK-0001")
        charger.report("session", t0=1767229000, t1=1767239990, s=10990, e=22140, y="unplugged")
        charger.report("heartbeat", s="C2", m="smart", q=17, o="23415", a=32, w=7360, e=128200, f=[])
        yield place
    finally:
        place.stop()
