"""Names of people: found however they are typed, and no two that look alike. Pure.

Two forms of a name are kept beside it, each unique. `folded` is what a name is found by: a phone writes a capital at the
beginning, a space at the end, an accent as one character or two, and a typographic apostrophe. `appearance` is what a name
looks like: the idea of the skeleton of Unicode Technical Standard 39 (https://www.unicode.org/reports/tr39/), with the
characters of its confusables.txt that occur in names. A name is of one script.
"""

import unicodedata

from cloud_bridge.errors import BridgeError

MAX_NAME = 100
MAX_FORM = 200  # of the columns: some characters fold into several
APOSTROPHES = dict.fromkeys(map(ord, "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}`´ʼʹ′"), "'")
TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HANGUL": "CJK", "BOPOMOFO": "CJK"}  # scripts that one name mixes

# What each looks like in Latin letters. Capitals and small letters apart: a Greek Η looks like H, and an η like n.
_ALIKE = {
    "аеорсухѕіјһԛԝԁкмтнвгӏпи": "aeopcyxsijhqwdkmthbrlnu",  # Cyrillic
    "АЕОРСУХЅІЈҺԚԜКМТНВӀ": "aeopcyxsljhqwkmthbl",
    "αβγεηικνορστυχω": "aByeniKvopotuxw".lower(),  # Greek
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ": "abezhlkmnoptyx",
    "օոսհյցքզ": "onuhjgpq",  # Armenian
    "ՕՍՏԼ": "ousl",
    "ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᏔᏃ": "abcdeghjklmprstvwz",  # Cherokee
    "ıɑɡɩɪøłđħŧƿ": "iagiioldhtp",  # Latin
    "Il1|0Oǀ": "llll" + "ool",
}
ALIKE = {ord(one): latin for seen, as_latin in _ALIKE.items() for one, latin in zip(seen, as_latin, strict=True)}


def folded(name: str) -> str:
    """What a name is found by. Two spellings of one name give the same."""
    text = unicodedata.normalize("NFKC", name)
    text = unicodedata.normalize("NFKC", text.casefold()).translate(APOSTROPHES)
    text = "".join("-" if unicodedata.category(one) == "Pd" else one for one in text)
    return " ".join("".join(one for one in text if unicodedata.category(one) != "Cf").split())


def appearance(name: str) -> str:
    """What a name looks like. Two names that a reader may take for each other give the same."""
    seen = []
    for one in unicodedata.normalize("NFKC", name).translate(ALIKE):
        digit = unicodedata.digit(one, None)
        if digit is not None:
            one = str(digit)
        small_capital = unicodedata.name(one, "").partition("LATIN LETTER SMALL CAPITAL ")[2]
        seen.append(small_capital if len(small_capital) == 1 else one)
    text = folded("".join(seen).translate(ALIKE)).replace("rn", "m").replace("vv", "w")
    return "".join(one for one in text if unicodedata.category(one) != "Mn")


def checked(name: str) -> str:
    """The name as it is kept: composed, without spaces around it. Raises BridgeError for one that cannot be had."""
    kept = unicodedata.normalize("NFC", name).strip()
    forms = (folded(kept), appearance(kept))
    if not all(forms) or len(kept) > MAX_NAME or not kept.isprintable() or max(map(len, forms)) > MAX_FORM:
        raise BridgeError(f"{name!r} is no user name: use 1 to {MAX_NAME} printable characters")
    scripts = sorted(_scripts(kept))
    if len(scripts) > 1:
        raise BridgeError(f"{name!r} is no user name: it mixes letters that are {' and '.join(scripts).title()}")
    return kept


def _scripts(name: str) -> set[str]:
    """Of the letters, by the first word of their names in Unicode."""
    letters = [one for one in unicodedata.normalize("NFKC", name) if one.isalpha()]
    found = {unicodedata.name(one, "UNKNOWN").split()[0].split("-")[0] for one in letters}
    return {TOGETHER.get(script, script) for script in found - {"MODIFIER", "FEMININE", "MASCULINE", "MICRO"}}
