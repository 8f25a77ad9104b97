"""Which texts can be stored and sent: those without U+0000, which PostgreSQL refuses in a text, and without a lone
surrogate, which is no character and has no form in UTF-8. Pure.

Asked where texts come in (the pages' text_check.py, wire.py, the command line, the settings), so that nothing behind those
places has to expect one.
"""

from typing import Any

MAX_DEPTH = 200  # of JSON; a deeper one is refused unread


def is_storable(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def holds_storable(value: Any, depth: int = 0) -> bool:
    """Whether every text in a value that came as JSON is storable, names too."""
    if isinstance(value, str):
        return is_storable(value)
    if depth == MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return all(is_storable(name) and holds_storable(one, depth + 1) for name, one in value.items())
    return all(holds_storable(one, depth + 1) for one in value) if isinstance(value, list) else True
