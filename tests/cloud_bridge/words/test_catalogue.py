"""Is the catalogue up to date and every language complete, and do translations keep the values of their messages?"""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from cloud_bridge.words.catalogues import ENGLISH, LANGUAGES, catalogue_file
from cloud_bridge.words.extraction import TEMPLATE, brought_up_to_date, extracted, untranslated, written

OTHERS = [language for language in LANGUAGES if language != ENGLISH]
PLACE = re.compile(r"%\((\w+)\)s|{(\w*)}|(%%)")
DU = re.compile(r"\b([Dd]u|[Dd]ich|[Dd]ir|[Dd]ein(e[mnrs]?)?)\b")


def read(language: str) -> Catalog:
    with catalogue_file(language).open("rb") as file:
        return read_po(file, language)


@pytest.fixture(scope="module")
def now() -> Catalog:
    return extracted()


def test_the_catalogue_is_up_to_date(now: Catalog) -> None:
    """If not, run `make catalogue`."""
    assert TEMPLATE.read_bytes() == written(now)


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_is_up_to_date_and_complete(now: Catalog, language: str) -> None:
    """If not, run `make catalogue`, and translate what is listed here."""
    assert catalogue_file(language).read_bytes() == written(brought_up_to_date(language, now))
    assert untranslated(read(language)) == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_values_and_the_markup_of_its_message(language: str) -> None:
    wrong = []
    for message in read(language):
        ids, forms = _forms(message.id), _forms(message.string)
        if not message.id:
            continue
        wanted = _parts(ids[-1])
        wrong += [(form, wanted) for form in forms if _parts(form) != wanted and _parts(form) != _parts(ids[0])]
    assert wrong == []


def test_german_is_formal_and_its_quotation_marks_end_no_attribute() -> None:
    wrong = []
    for message in read("de"):
        english = " ".join(_forms(message.id))
        for form in _forms(message.string) if message.id else ():
            if DU.search(form) or (form.count('"') > english.count('"')):
                wrong.append(form)
    assert wrong == []


def test_no_binary_is_kept() -> None:
    assert list(Path(TEMPLATE).parent.rglob("*.mo")) == []


def _forms(text: object) -> list[str]:
    return [text] if isinstance(text, str) else [str(one) for one in text] if isinstance(text, list | tuple) else []


def _parts(text: str) -> tuple[list[str], list[str]]:
    """Return the values and the tags of a message."""
    return sorted("".join(place.groups("")) for place in PLACE.finditer(text)), sorted(re.findall(r"<[^>]+>", text))
