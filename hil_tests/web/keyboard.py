"""Navigation with the keyboard alone."""

from playwright.sync_api import Locator, Page

MOST_TABS = 60


def tab_to(page: Page, there: Locator) -> None:
    """Press Tab until `there` has the focus. Raises AssertionError if it is not reached or the focus is not visible."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if there.evaluate("one => one === document.activeElement"):
            assert there.evaluate("one => getComputedStyle(one).outlineStyle") != "none", "the focus is not visible"
            return
    raise AssertionError(f"{MOST_TABS} tabs did not reach {there}")
