"""Are the pages that no journey visits accessible, and do all important ones work with the keyboard alone?

The journeys check each page that they visit (visitor.py), and test_street.py checks the mission's pages.
"""

import pytest
from playwright.sync_api import Browser, expect

from hil_tests.web.cloud_fixture import PATIENCE_MS, WebCloudFixture
from hil_tests.web.keyboard import tab_to
from hil_tests.web.visitor import LOOKS, ZOOMED, Visitor

CHARGER = "/charge-points/CK-0001"
PAGES = {
    "dora": {
        "/nowhere": "Not here",
        "/account/vehicles": "Vehicle Details",
        "/claim?code=7K4M-2QXP-9BCD": "Claim a charger",
        "/account/distances": "Miles or kilometres",
    },
    "ingo": {CHARGER: "Charging"},
    "sue": {"/invitations": "Invitations"},
    "": {"/offline": "You are offline", "/login": "Log in", "/sign-up": "Sign up"},
}

ZOOMED_PAGES = {
    "dora": ("/", f"{CHARGER}/charging", f"{CHARGER}/history", f"{CHARGER}/support", "/support", "/account/vehicles"),
    "ingo": ("/jobs",),
    "sue": ("/fleet", "/support"),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_what_no_journey_comes_to(browser: Browser, place: WebCloudFixture, name: str, look: str) -> None:
    visitor = Visitor(browser, place, name, look)
    for path, heading in PAGES[name].items():
        visitor.goes_to(path)
        visitor.comes_to(heading)
    visitor.leaves()


@pytest.mark.parametrize("name", ZOOMED_PAGES)
def test_nothing_is_cut_off_at_400_per_cent(browser: Browser, place: WebCloudFixture, name: str) -> None:
    page = browser.new_context(viewport=ZOOMED).new_page()
    place.log_in(page, name)
    for path in ZOOMED_PAGES[name]:
        page.goto(f"{place.address}{path}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{path} is cut off"
    page.context.close()


def test_the_fleet_is_sorted_with_the_keyboard_and_without_scripts(browser: Browser, place: WebCloudFixture) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    place.log_in(page, "olga")
    page.goto(f"{place.address}/fleet")
    tab_to(page, page.get_by_role("link", name="Charger", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Charger")).to_have_attribute("aria-sort", "ascending")
    page.wait_for_load_state()  # the table's head arrives before its rows
    names = page.get_by_role("rowheader").all_inner_texts()
    page.get_by_role("link", name="Charger", exact=True).click()
    expect(page.get_by_role("columnheader", name="Charger")).to_have_attribute("aria-sort", "descending")
    page.wait_for_load_state()
    assert page.get_by_role("rowheader").all_inner_texts() == names[::-1]
    page.context.close()


def test_with_the_keyboard_alone(browser: Browser, place: WebCloudFixture) -> None:
    """From the login to a sent message, with Tab, typing and Enter."""
    page = browser.new_context().new_page()
    page.goto(f"{place.address}/login")
    expect(page.locator("[autofocus]")).to_be_focused()
    page.keyboard.type("dora")
    page.keyboard.press("Tab")
    page.keyboard.type(place.logins["dora"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{place.address}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    tab_to(page, page.get_by_role("link", name="Ask for help", exact=True))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{CHARGER}/support")
    tab_to(page, page.get_by_label("Message"))
    page.keyboard.type("Hello by keyboard.")
    tab_to(page, page.get_by_role("button", name="Send", exact=True))
    page.keyboard.press("Enter")
    page.wait_for_url("**/support/*#newest")
    assert "Hello by keyboard." in page.inner_text("main")
    page.context.close()


def test_the_code_of_a_second_factor_with_the_keyboard_alone(browser: Browser, place: WebCloudFixture) -> None:
    """Also without scripts."""
    place.person("otto", "operator")
    page = browser.new_context(java_script_enabled=False).new_page()
    page.set_default_timeout(PATIENCE_MS)
    for _ in range(2):
        page.goto(f"{place.address}/login")
        expect(page.locator("[autofocus]")).to_be_focused()
        page.keyboard.type("otto")
        page.keyboard.press("Tab")
        page.keyboard.type(place.logins["otto"])
        page.keyboard.press("Enter")
        if "otto" not in place.recovery_codes:
            page.wait_for_url("**/login/second-factor*")
            place.set_up_second_factor(page, "otto")
            page.context.clear_cookies()
    page.wait_for_url("**/login/code*")
    expect(page.locator("[autofocus]")).to_be_focused()  # the browser sets the focus some time after the load
    for key in ("Tab", "Tab", "Enter", "Tab"):  # go past the button, then open the folded part
        page.keyboard.press(key)
    expect(page.get_by_label("Recovery code")).to_be_focused()
    page.keyboard.type(place.recovery_codes["otto"].pop())
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.context.close()
