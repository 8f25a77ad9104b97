"""The keyboard, in the hands of somebody who has nothing else."""

from playwright.sync_api import Locator, Page

MOST_TABS = 60


def tab_to(page: Page, there: Locator) -> None:
    """Presses Tab until the focus is there, and sees that it can be seen."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if there.evaluate("one => one === document.activeElement"):
            assert there.evaluate("one => getComputedStyle(one).outlineStyle") != "none", "the focus cannot be seen"
            return
    raise AssertionError(f"Tab never came to {there}")
