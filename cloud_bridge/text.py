"""Which texts can be stored and sent: those without U+0000, which PostgreSQL refuses in a text, and without a lone
surrogate, which is no character and has no form in UTF-8. And what people read of a name that we do not know. Pure.

The first is asked where texts come in (the pages' text_check.py, wire.py, the command line, the settings), so that nothing
behind those places has to expect one.
"""

import re
from typing import Any

# A pair of surrogates, one alone or U+0000, any other escape; in this order, so that no backslash is taken twice.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<none>\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\u0000)|\\."
)
MAX_DEPTH = 200  # of JSON; a deeper one is refused unread
MAX_UNKNOWN = 40  # characters of a name that people are shown


def is_storable(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_storable_json(text: str) -> bool:
    """Whether every escape in the JSON stands for a storable character, wherever it is: in a name, a value or a list. What
    is not escaped is the business of UTF-8, which has no lone surrogate, and of JSON, which has no bare U+0000."""
    return "\\u" not in text or not any(found["none"] for found in _ESCAPE.finditer(text))


def holds_storable(value: Any, depth: int = 0) -> bool:
    """Whether every text in a value that came as JSON is storable, names too."""
    if isinstance(value, str):
        return is_storable(value)
    if depth == MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return all(is_storable(name) and holds_storable(one, depth + 1) for name, one in value.items())
    return all(holds_storable(one, depth + 1) for one in value) if isinstance(value, list) else True


def unknown(said: str, name: str) -> str:
    """For a fault, a state or another name of a newer firmware than we have words for: people are never shown it alone.
    `said` is what it is, with {name} in it."""
    shown = name if len(name) <= MAX_UNKNOWN else f"{name[:MAX_UNKNOWN]}…"
    return said.format(name=shown)
