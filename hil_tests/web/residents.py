"""A logged-in browser for each person of the street, so that each logs in once for all tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from hil_tests.web.cloud_fixture import PATIENCE_MS, WebCloudFixture
from hil_tests.web.visitor import LOOKS

LOOK = LOOKS["phone"]


class Residents:
    """The people of the street, each with a phone."""

    def __init__(self, browser: Browser, place: WebCloudFixture) -> None:
        self._browser, self._place = browser, place
        self._at_home: dict[str, BrowserContext] = {}

    @contextmanager
    def page_of(self, name: str, scripts: bool = True) -> Iterator[Page]:
        """Yield a page of this person, logged in. Without `scripts`, the browser runs no JavaScript."""
        if name not in self._at_home:
            self._at_home[name] = self._new()
            door = self._at_home[name].new_page()
            self._place.log_in(door, name)
            door.close()
        context = self._at_home[name]
        if not scripts:
            context = self._new(java_script_enabled=False, storage_state=context.storage_state())
        page = context.new_page()
        try:
            yield page
        finally:
            if scripts:
                page.close()
            else:
                context.close()

    def leave(self) -> None:
        """Close all browsers."""
        for context in self._at_home.values():
            context.close()

    def _new(self, **other: Any) -> BrowserContext:
        context = self._browser.new_context(**LOOK, base_url=self._place.address, **other)
        context.set_default_timeout(PATIENCE_MS)
        return context
