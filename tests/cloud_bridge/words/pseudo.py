"""A pseudo-language that shows which text comes from the catalogue.

Each message is in brackets, and so are the parts between its values: values stay outside and need their own brackets. Dates,
numbers and money are formatted as in Chinese, without Latin letters. If a test's own data have no Latin letters either, a
Latin letter outside brackets did not come from a catalogue.
"""

import re
from gettext import NullTranslations

import pytest

LANGUAGE = "zh"
OPENING, CLOSING = "⟦", "⟧"
PLACE = re.compile(r"%\(\w+\)s|{\w*}")


def marked(message: str) -> str:
    return OPENING + PLACE.sub(lambda place: f"{CLOSING}{place[0]}{OPENING}", message) + CLOSING


class PseudoCatalogue(NullTranslations):
    """A catalogue that contains every message."""

    def gettext(self, message: str) -> str:
        return marked(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return marked(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return marked(message)


def speak_pseudo(patch: pytest.MonkeyPatch) -> None:
    """Answer browsers that ask for the pseudo-language in it, until the patch is undone."""
    for module in ("language", "negotiation"):
        patch.setattr(f"cloud_bridge.words.{module}.LANGUAGES", ("en", "de", LANGUAGE))
    for module in ("words.language", "web.translated_templates"):
        patch.setattr(f"cloud_bridge.{module}.catalogue_of", lambda _language: PseudoCatalogue())


class Outside:
    """Collects the text outside brackets. A text may come in pieces."""

    def __init__(self) -> None:
        self._depth = 0
        self._found: list[str] = []

    def read(self, text: str) -> None:
        for piece in re.split(f"([{OPENING}{CLOSING}])", text):
            if piece == OPENING:
                self._depth += 1
            elif piece == CLOSING:
                self._depth = max(0, self._depth - 1)
            elif self._depth == 0:
                self._found.append(piece)

    def end(self) -> list[str]:
        """Return the pieces with a Latin letter since the last call."""
        found, self._found, self._depth = self._found, [], 0
        return [piece.strip() for piece in found if re.search("[A-Za-z]", piece)]


def outside(text: str) -> list[str]:
    reading = Outside()
    reading.read(text)
    return reading.end()
