"""The text of an HTML page as a person reads or hears it: its texts, and the attributes that are shown or read aloud."""

import re
from html.parser import HTMLParser

from tests.cloud_bridge.words.pseudo import Outside, outside

SAID = {"title", "alt", "placeholder", "label", "aria-label", "aria-description", "aria-valuetext"}
UNREAD = {"script", "style"}
VOID = {"br", "img", "input"}


class Reading(HTMLParser):
    """Collects in `strays` the pieces outside the brackets of pseudo.py. For a script, its data attributes count."""

    def __init__(self) -> None:
        super().__init__()
        self._text = Outside()
        self._unread = 0
        self._foreign = 0  # nesting depth in an element of another language
        self.strays: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if self._foreign or (tag != "html" and "lang" in named):
            self._foreign += tag not in VOID
            return
        self._unread += tag in UNREAD
        is_button = tag == "input" and named.get("type") in ("submit", "button", "reset")
        for name, value in attributes:
            says = name in SAID or (is_button and name == "value") or (tag == "script" and name.startswith("data-"))
            if says and value:
                self.strays += [f"{name}={piece}" for piece in outside(value)]

    def handle_endtag(self, tag: str) -> None:
        if self._foreign:
            self._foreign -= 1
            return
        self._unread -= tag in UNREAD

    def handle_data(self, data: str) -> None:
        if not self._unread and not self._foreign:
            self._text.read(data)

    def end(self) -> list[str]:
        self.close()
        return self.strays + self._text.end()


def said_in(stray: str) -> str:
    """Remove the name of the attribute."""
    return re.sub("^[a-z-]+=", "", stray)


def strays_of(html: str) -> list[str]:
    reading = Reading()
    reading.feed(html)
    return reading.end()
