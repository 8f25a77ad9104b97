"""One word for one thing: do the glossary for people, the one for translators, and the translations agree?"""

import re

import pytest
from babel.messages.pofile import read_po

from cloud_bridge.words.catalogues import FOLDER, catalogue_file
from cloud_bridge.words.glossary import TERMS

# A second word for the same thing -> the term. For German, and for the English that drivers read.
REPLACED_IN_GERMAN = {
    r"Lade(station|gerät|säule|punkt)\w*": "Wallbox",
    r"Autos?|Wagens?|PKW": "Fahrzeug",
    r"Lades(itz|ess)\w+": "Ladevorgang",
    r"(Lade)?[Zz]eitpl[aä]n\w*": "Ladezeiten",
    r"Limits?|Limitierung": "Begrenzung",
    r"Monteur\w*|Techniker\w*": "Installateur",
    r"Kundendienst\w*|Kundenservice": "Support",
    r"Kennw[oö]rt\w*": "Passwort",
    r"[Ee]inloggen|[Aa]usloggen|Login|Logout": "anmelden, abmelden",
    r"E-?mail\w*|Emails?": "E-Mail",
}
REPLACED_IN_ENGLISH = {
    r"[Cc]harge[- ]points?|[Ww]all ?box(es)?|[Cc]harging stations?": "charger",
    r"[Ss]ign(ed)? (in|out)": "log in, log out",
    r"(?<!/)[Ee]mails?": "e-mail",
}


def _texts(language: str) -> list[tuple[str, str]]:
    """Return (English, translation) of every form."""
    with catalogue_file(language).open("rb") as file:
        messages = [message for message in read_po(file, language) if message.id]
    return [
        (str(english), str(said))
        for message in messages
        for english, said in zip(_forms(message.id), _forms(message.string), strict=True)
    ]


def _forms(text: object) -> list[object]:
    return list(text) if isinstance(text, list | tuple) else [text]


@pytest.mark.parametrize(("word", "term"), REPLACED_IN_GERMAN.items())
def test_german_has_one_word_for_one_thing(word: str, term: str) -> None:
    again = [said for _, said in _texts("de") if re.search(rf"\b({word})\b", said)]
    assert again == [], f"the term is {term}"


@pytest.mark.parametrize(("word", "term"), REPLACED_IN_ENGLISH.items())
def test_english_has_one_word_for_one_thing(word: str, term: str) -> None:
    again = [english for english, _ in _texts("de") if re.search(rf"\b({word})\b", english)]
    assert again == [], f"the term is {term}"


def test_the_glossary_of_people_is_that_of_the_translators() -> None:
    """A row of README.md is `| English, another form | German |`."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    table = {english.split(",")[0].split(" (")[0].split(";")[0].casefold(): german for english, german in rows}
    german = dict(_texts("de"))
    wrong = []
    for term in TERMS:
        wanted = table.get(term.word.casefold())
        if wanted is None or german[term.word].casefold() not in wanted.casefold():
            wrong.append((term.word, german[term.word], wanted))
    assert wrong == []
