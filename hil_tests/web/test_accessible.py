"""Can everybody use every page: by axe's rules, with the keyboard, enlarged, on a phone and at a desk, in the dark?"""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from hil_tests.web.axe import axe_script, violations
from hil_tests.web.place import Place

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 900}
CHARGER = "/charge-points/CK-0001"
PAGES = {
    "dora": [
        "/",
        f"{CHARGER}/charging",
        f"{CHARGER}/history?days=30",
        f"{CHARGER}/support",
        "/support",
        "/support/1",
        "/account",
        "/account/details",
        "/account/password",
        "/account/units",
        "/account/units/CK-0001",
        "/account/notifications",
        "/account/data",
        "/nowhere",
    ],
    "ingo": ["/jobs", "/jobs/1", CHARGER],
    "sue": ["/fleet", "/support", "/support/1", f"{CHARGER}/jobs"],
    "olga": ["/fleet", CHARGER],
    "": ["/login", "/status", "/offline"],
}
# name: what the browser is like
LOOKS: dict[str, dict[str, Any]] = {
    "phone, light": {"viewport": PHONE, "color_scheme": "light"},
    "phone, dark": {"viewport": PHONE, "color_scheme": "dark"},
    "desk, light": {"viewport": DESK, "color_scheme": "light"},
    "desk, dark": {"viewport": DESK, "color_scheme": "dark"},
}


@pytest.fixture(scope="module", autouse=True)
def talk(browser: Browser, place: Place) -> None:
    """A conversation and a job, so that their pages are there."""
    page = browser.new_context().new_page()
    place.log_in(page, "dora")
    page.goto(f"{place.address}{CHARGER}/support")
    page.get_by_label("Message").fill("It drops out.")
    page.get_by_role("button", name="Send").click()
    page.context.close()
    page = browser.new_context().new_page()
    place.log_in(page, "sue")
    page.goto(f"{place.address}{CHARGER}/jobs")
    page.get_by_role("button", name="Raise it").click()
    page.context.close()


def visit(browser: Browser, place: Place, name: str, **look: Any) -> Page:
    page = browser.new_context(**look).new_page()
    if name:
        place.log_in(page, name)
    return page


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser: Browser, place: Place, name: str, look: str) -> None:
    script = axe_script()
    page = visit(browser, place, name, **LOOKS[look])
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    found = {}
    for path in PAGES[name]:
        page.goto(f"{place.address}{path}")
        broken = violations(page, script)
        if broken:
            found[path] = broken
    page.context.close()
    assert found == {}
    assert complaints == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [195, 320])
def test_nothing_is_cut_off_at_200_percent(browser: Browser, place: Place, name: str, width: int) -> None:
    """A phone of 390 px enlarged to 200 % shows what fits in 195; WCAG 1.4.10 asks for 320. Wide tables scroll inside."""
    page = visit(browser, place, name, viewport={"width": width, "height": 500})
    wide = {}
    for path in PAGES[name]:
        page.goto(f"{place.address}{path}")
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            wide[path] = needed
    page.context.close()
    assert wide == {}


def test_with_the_keyboard_alone(browser: Browser, place: Place) -> None:
    """From the login to a message that was sent, by Tab, typing and Enter."""
    page = browser.new_context().new_page()
    page.goto(f"{place.address}/login")
    page.keyboard.type("dora")
    page.keyboard.press("Tab")
    page.keyboard.type(place.logins["dora"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{place.address}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    tab_to(page, "Ask for help")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{CHARGER}/support")
    tab_to(page, "", "TEXTAREA")
    page.keyboard.type("Hello by keyboard.")
    tab_to(page, "Send")
    page.keyboard.press("Enter")
    page.wait_for_url("**/support/1#newest")
    assert "Hello by keyboard." in page.inner_text("main")
    page.context.close()


def tab_to(page: Page, text: str, tag: str = "") -> None:
    """Presses Tab until the focus is there, and sees that it can be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " return [e.textContent.trim(), e.tagName, s.outlineStyle]; }"
        )
        if (found[0] == text and not tag) or found[1] == tag:
            assert found[2] != "none", "the focus cannot be seen"
            return
    raise AssertionError(f"Tab never came to {text or tag}")
