"""Which texts can be stored and sent: those without U+0000, which PostgreSQL refuses in a text, and without a lone
surrogate, which is no character and has no form in UTF-8. Pure.

Asked where texts come in (the pages' text_check.py, wire.py, the command line, the settings), so that nothing behind those
places has to expect one.
"""

import re
from typing import Any

SUBSTITUTE = r"\u001a"  # as JSON writes it
# A pair of surrogates, one alone or U+0000, any other escape; in this order, so that no backslash is taken twice.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<none>\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\u0000)|\\."
)
MAX_DEPTH = 200  # of JSON; a deeper one is refused unread


def is_storable(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def storable_json(text: str) -> str:
    """The JSON with U+001A, SUBSTITUTE, in place of each escape that stands for no storable character. It is not printable,
    so whoever checks a name notices it. A text that is not JSON is left as it is, as far as it has no such escape."""
    return _ESCAPE.sub(_storable_escape, text) if "\\u" in text else text


def _storable_escape(found: re.Match[str]) -> str:
    return SUBSTITUTE if found["none"] else found[0]


def holds_storable(value: Any, depth: int = 0) -> bool:
    """Whether every text in a value that came as JSON is storable, names too."""
    if isinstance(value, str):
        return is_storable(value)
    if depth == MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return all(is_storable(name) and holds_storable(one, depth + 1) for name, one in value.items())
    return all(holds_storable(one, depth + 1) for one in value) if isinstance(value, list) else True
