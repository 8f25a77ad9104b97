"""A person with a browser, which checks each page that it visits.

The checks: axe's rules, nothing cut off (on a phone also at 200 %), no violation of the page's own CSP, no error in the
console.
"""

from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, expect

from hil_tests.web.axe import axe_script, violations
from hil_tests.web.cloud_fixture import WebCloudFixture

# name -> settings of the browser. Pages are visited in both, so in both sizes and both colour schemes.
LOOKS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "desk": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}
PATIENCE_MS = 60_000
ENLARGED = 195  # width in CSS pixels of a phone of 390 at 200 %
ZOOMED = ViewportSize(width=320, height=256)  # a desktop of 1280 by 1024 at 400 %


class Visitor:
    """`name` is logged in; "" is a stranger."""

    def __init__(self, browser: Browser, place: WebCloudFixture, name: str, look: str) -> None:
        self._address, self._look = place.address, look
        self._complaints: list[str] = []
        self.page: Page = browser.new_context(**LOOKS[look]).new_page()
        self.page.on("console", self._hear)
        self.page.on("dialog", lambda dialog: self._complaints.append(f"a dialog: {dialog.message}"))
        if name:
            place.log_in(self.page, name)
        self.page.set_default_timeout(PATIENCE_MS)

    def goes_to(self, path: str) -> None:
        """Open an address that no link leads to."""
        self.page.goto(f"{self._address}{path}")

    def clicks(self, name: str) -> None:
        """Click a link or a button."""
        link, button = (self.page.get_by_role(role, name=name, exact=True) for role in ("link", "button"))
        link.or_(button).first.click()

    def fills(self, **fields: str) -> None:
        """Fill fields, by their names."""
        for name, value in fields.items():
            self.page.locator(f'[name="{name}"]').first.fill(value)

    def comes_to(self, heading: str) -> None:
        """Wait for the page with this heading, and check it."""
        expect(self.page.locator("h1")).to_have_text(heading)
        found = violations(self.page, axe_script())
        assert not found, f"{self.page.url}: {found}"
        assert self._overflow() <= 0, f"{self.page.url} is too wide"
        if self._look == "phone":
            width, height = 390, 844
            self.page.set_viewport_size({"width": ENLARGED, "height": height // 2})
            assert self._overflow() <= 0, f"{self.page.url} is cut off at 200 %"
            self.page.set_viewport_size({"width": width, "height": height})

    def sees(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words)

    def leaves(self) -> None:
        self.page.context.close()
        assert not self._complaints, self._complaints

    def _overflow(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def _hear(self, message: Any) -> None:
        if message.type == "error" and "status of 4" not in message.text:  # a 4xx answer is one of our own pages
            self._complaints.append(message.text)
