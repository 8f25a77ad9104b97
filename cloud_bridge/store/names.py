"""User names: find a name however it is typed, and prevent two names that look alike. Pure.

Two forms of a name are stored beside it, each unique. `folded` is for finding a name: a phone adds a capital at the
start or a space at the end, an accent may be one character or two, and an apostrophe may be typographic. `appearance`
is what a name looks like, similar to the skeleton of Unicode Technical Standard 39
(https://www.unicode.org/reports/tr39/): it uses the characters of its confusables.txt that occur in names, and leaves
out accents. A name has one script, and one in common use, because others (Lisu, Cherokee, Coptic and so on) have
letters that look like Latin ones. Apart from letters and digits, only characters of a keyboard are allowed, so that no
symbol can look like a letter or a dash, or be invisible.
"""

import unicodedata

from cloud_bridge.errors import BridgeError
from cloud_bridge.words import gettext as _

MAX_NAME = 100
MAX_FORM = 200  # the width of the columns of the forms: some characters fold into several
# "Recommended scripts" of Unicode Standard Annex 31, table 5, after the mapping of TOGETHER
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
VOICED = "\u3099\u309a"  # Japanese marks that change a letter into another
AS_TYPED = dict.fromkeys(map(ord, "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}`´ʼʹ′"), "'")
AS_TYPED[ord("İ")] = "I"  # an automatic capital on a Turkish phone
TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HANGUL": "CJK", "BOPOMOFO": "CJK"}  # scripts that a name may mix

# Latin letters that look like other characters. Upper and lower case are separate: a Greek Η looks like H, and an η
# like n.
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
    """Return the form for finding a name. It is the same for all spellings of one name."""
    text = unicodedata.normalize("NFKC", name.translate(AS_TYPED))  # NFKC decomposes ´
    text = unicodedata.normalize("NFKC", text.casefold()).translate(AS_TYPED)
    text = "".join("-" if unicodedata.category(one) == "Pd" else one for one in text)
    return " ".join("".join(one for one in text if unicodedata.category(one) != "Cf").split())


def appearance(name: str) -> str:
    """Return the form that describes what a name looks like. It is the same for names that a reader may confuse."""
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
    """Return the name as it is stored: composed, without surrounding spaces. Raises BridgeError if it is not
    allowed."""
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
    """Return whether a character is a letter, a digit, on a keyboard, or one that `folded` removes or maps to one of
    these."""
    return one.isascii() or unicodedata.category(one)[0] in "LMN" or unicodedata.category(one) in ("Pd", "Zs", "Cf")


def _scripts(name: str) -> set[str]:
    """Return the scripts of the letters, by the first word of their Unicode names."""
    letters = [one for one in unicodedata.normalize("NFKC", name) if one.isalpha()]
    found = {unicodedata.name(one, "UNKNOWN").split()[0].split("-")[0] for one in letters}
    return {TOGETHER.get(script, script) for script in found - {"MODIFIER", "FEMININE", "MASCULINE", "MICRO"}}
