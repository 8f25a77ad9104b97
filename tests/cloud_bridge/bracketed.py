"""A catalogue in the place of the German one, in which every message stands in brackets: for tests of who is spoken to in
which language, whatever the real one says."""

from gettext import NullTranslations

import pytest

GERMAN = "de"


class Bracketed(NullTranslations):
    def gettext(self, message: str) -> str:
        return f"[{message}]"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"[{msgid1 if n == 1 else msgid2}]"


def bracket_german(patch: pytest.MonkeyPatch) -> None:
    """What Python says in German, until the patch is undone; templates are not looked at."""
    patch.setattr("cloud_bridge.words.language.catalogue_of", lambda _language: Bracketed())
