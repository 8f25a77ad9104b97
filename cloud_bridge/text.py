"""Check that text can be stored and sent, and show names that are not known. Pure.

A text is storable if it has no U+0000, which PostgreSQL refuses, and no lone surrogate, which has no encoding in UTF-8.
Text is checked where it enters (the pages' text_check.py, wire.py, the command line, the settings), so that no code
behind those places has to handle such text.
"""

import re
from typing import Any

# Matches a pair of surrogates, then a lone surrogate or U+0000, then any other escape. In this order no backslash is
# matched twice.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<none>\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\u0000)|\\."
)
MAX_DEPTH = 200  # of nested JSON; deeper values are refused
MAX_UNKNOWN = 40  # characters of a name that people are shown


def is_storable(text: str) -> bool:
    """Return whether the text has no U+0000 and no lone surrogate."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_storable_json(text: str) -> bool:
    """Return whether every escape in the JSON text stands for a storable character. Unescaped characters need no check:
    decoded UTF-8 has no lone surrogate, and a JSON parser refuses a bare U+0000."""
    return "\\u" not in text or not any(found["none"] for found in _ESCAPE.finditer(text))


def holds_storable(value: Any, depth: int = 0) -> bool:
    """Return whether every text in a decoded JSON value is storable, including the keys of objects."""
    if isinstance(value, str):
        return is_storable(value)
    if depth == MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return all(is_storable(name) and holds_storable(one, depth + 1) for name, one in value.items())
    return all(holds_storable(one, depth + 1) for one in value) if isinstance(value, list) else True


def unknown(said: str, name: str) -> str:
    """Return the text for a fault, a state or another name that a newer firmware has and this version does not know.
    `said` is a sentence with {name}, since people are never shown the bare name. Long names are shortened."""
    shown = name if len(name) <= MAX_UNKNOWN else f"{name[:MAX_UNKNOWN]}…"
    return said.format(name=shown)
