"""A catalogue that replaces the German one and puts every message in brackets.

Tests use it to check who is addressed in which language, independently of the real German texts.
"""

from gettext import NullTranslations

import pytest

GERMAN = "de"


class Bracketed(NullTranslations):
    def gettext(self, message: str) -> str:
        return f"[{message}]"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"[{msgid1 if n == 1 else msgid2}]"


def bracket_german(patch: pytest.MonkeyPatch) -> None:
    """Put Python's German messages in brackets until the patch is undone. Templates are unaffected."""
    patch.setattr("cloud_bridge.words.language.catalogue_of", lambda _language: Bracketed())
