"""The catalogue of each language: `<language>/LC_MESSAGES/chargekeeper.po` in this folder. To add a language, add its file.

A catalogue is loaded when it is first needed.
"""

from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent
DOMAIN = "chargekeeper"
ENGLISH = "en"
LANGUAGES = (ENGLISH, *sorted(path.name for path in FOLDER.iterdir() if (path / "LC_MESSAGES").is_dir()))

Catalogue = GNUTranslations


def catalogue_file(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def language_tag(language: str) -> str:
    """Return the value for the `lang` of a page (BCP 47). Our English is British."""
    return "en-GB" if language == ENGLISH else language.replace("_", "-")


@cache
def catalogue_of(language: str) -> Catalogue:
    """Load a catalogue. Messages marked as fuzzy are left out, and therefore shown in English."""
    with catalogue_file(language).open("rb") as file:
        messages = read_po(file, language)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return GNUTranslations(compiled)
