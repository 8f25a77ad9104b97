"""Names of people: found however they are typed, and no two that look alike. Pure.

Two forms of a name are kept beside it, each unique. `folded` is what a name is found by: a phone writes a capital at the
beginning, a space at the end, an accent as one character or two, and a typographic apostrophe. `appearance` is what a name
looks like: the idea of the skeleton of Unicode Technical Standard 39 (https://www.unicode.org/reports/tr39/), with the
characters of its confusables.txt that occur in names, and without accents. A name is of one script, and of one in common
use: the others (Lisu, Cherokee, Coptic and so on) have letters that nobody can tell from Latin ones. Of what is no letter
and no digit, it has what is on a keyboard: no symbol looks like a letter, a dash or nothing at all.
"""

import unicodedata

from cloud_bridge.errors import BridgeError
from cloud_bridge.words import gettext as _

MAX_NAME = 100
MAX_FORM = 200  # of the columns: some characters fold into several
# "Recommended scripts" of Unicode Standard Annex 31, table 5, as TOGETHER has them
SCRIPTS = frozenset(
    {
        "LATIN",
        "GREEK",
        "CYRILLIC",
        "ARMENIAN",
        "HEBREW",
        "ARABIC",
        "THAANA",
        "DEVANAGARI",
        "BENGALI",
        "GURMUKHI",
        "GUJARATI",
    }
    | {"ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "THAI", "LAO", "TIBETAN", "MYANMAR", "GEORGIAN"}
    | {"ETHIOPIC", "KHMER", "CJK"}
)
VOICED = "\u3099\u309a"  # marks that make another letter of a Japanese one
AS_TYPED = dict.fromkeys(map(ord, "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}`´ʼʹ′"), "'")
AS_TYPED[ord("İ")] = "I"  # at the beginning, on a Turkish phone
TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HANGUL": "CJK", "BOPOMOFO": "CJK"}  # scripts that one name mixes

# What each looks like in Latin letters. Capitals and small letters apart: a Greek Η looks like H, and an η like n.
_ALIKE = {
    "аеорсухѕіјһԛԝԁкмтнвгӏпиүѡѵьѕґ": "aeopcyxsijhqwdkmthbrlnuywvbsr",  # Cyrillic
    "АЕОРСУХЅІЈҺԚԜКМТНВӀҮѠѴЬ": "aeopcyxsljhqwkmthblywvb",
    "αβγεηικνορστυχωϲϳ": "aByeniKvopotuxwcj".lower(),  # Greek
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹͿ": "abezhlkmnoptyxcj",
    "օոսհյցքզ": "onuhjgpq",  # Armenian
    "ՕՍՏԼ": "ousl",
    "ഠဝଠ": "ooo",  # Malayalam, Myanmar, Oriya
    "ıɑɡɩɪøłđħŧƿĸƅ": "iagiioldhtpkb",  # Latin
    "Il1|0Oǀ": "llll" + "ool",
}
ALIKE = {ord(one): latin for seen, as_latin in _ALIKE.items() for one, latin in zip(seen, as_latin, strict=True)}


def folded(name: str) -> str:
    """What a name is found by. Two spellings of one name give the same."""
    text = unicodedata.normalize("NFKC", name.translate(AS_TYPED))  # which takes ´ apart
    text = unicodedata.normalize("NFKC", text.casefold()).translate(AS_TYPED)
    text = "".join("-" if unicodedata.category(one) == "Pd" else one for one in text)
    return " ".join("".join(one for one in text if unicodedata.category(one) != "Cf").split())


def appearance(name: str) -> str:
    """What a name looks like. Two names that a reader may take for each other give the same."""
    seen = []
    for one in _without_marks(name.translate(ALIKE).translate(AS_TYPED)).translate(ALIKE):
        digit = unicodedata.digit(one, None)
        if digit is not None:
            one = str(digit)
        small_capital = unicodedata.name(one, "").partition("LATIN LETTER SMALL CAPITAL ")[2]
        seen.append(small_capital if len(small_capital) == 1 else one)
    text = folded("".join(seen).translate(ALIKE)).replace("rn", "m").replace("vv", "w")
    return unicodedata.normalize("NFC", _without_marks(text))


def _without_marks(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return "".join(one for one in apart if one in VOICED or unicodedata.category(one) != "Mn")


def checked(name: str) -> str:
    """The name as it is kept: composed, without spaces around it. Raises BridgeError for one that cannot be had."""
    kept = unicodedata.normalize("NFC", name).strip()
    forms = (folded(kept), appearance(kept))
    if not all(forms) or len(kept) > MAX_NAME or not kept.isprintable() or max(map(len, forms)) > MAX_FORM:
        raise BridgeError(
            _("{name} is no user name: use 1 to {most} printable characters").format(name=f"{name!r}", most=MAX_NAME)
        )
    if symbols := [one for one in unicodedata.normalize("NFKC", kept.translate(AS_TYPED)) if not _is_of_a_name(one)]:
        raise BridgeError(
            _("{name} is no user name: it has the symbol {symbol}").format(name=f"{name!r}", symbol=f"{symbols[0]!r}")
        )
    scripts = sorted(_scripts(kept))
    if rare := [script for script in scripts if script not in SCRIPTS]:
        raise BridgeError(
            _("{name} is no user name: it has letters that are {script}").format(
                name=f"{name!r}", script=rare[0].title()
            )
        )
    if len(scripts) > 1:
        mixed = scripts[0].title()
        for script in scripts[1:]:
            mixed = _("{first} and {last}").format(first=mixed, last=script.title())
        said = _("{name} is no user name: it mixes letters that are {scripts}")
        raise BridgeError(said.format(name=repr(name), scripts=mixed))
    return kept


def _is_of_a_name(one: str) -> bool:
    """Whether it is a letter, a digit, or on a keyboard; or what `folded` leaves out or makes one of those."""
    return one.isascii() or unicodedata.category(one)[0] in "LMN" or unicodedata.category(one) in ("Pd", "Zs", "Cf")


def _scripts(name: str) -> set[str]:
    """Of the letters, by the first word of their names in Unicode."""
    letters = [one for one in unicodedata.normalize("NFKC", name) if one.isalpha()]
    found = {unicodedata.name(one, "UNKNOWN").split()[0].split("-")[0] for one in letters}
    return {TOGETHER.get(script, script) for script in found - {"MODIFIER", "FEMININE", "MASCULINE", "MICRO"}}
