"""Decodes a provider's response, and extracts its texts, whatever their structure. Pure.

Providers report errors as `{"error": word}` (RFC 6749, 5.2), as an object or a list under `error` or `errors`, as a form or as
plain text. `words_of` reads all of these, within bounds on the amount that is read.
"""

import json
import re
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Any
from urllib.parse import unquote_plus

MAX_VALUES = 200  # in one response, and in each object or list in it
MAX_LETTERS = 400  # in one text
MAX_PLAIN_BYTES = 4096  # in a response that is not JSON

_ADDRESS = re.compile(r"https?://\S*", re.IGNORECASE)  # links to documentation: their words are not part of the answer
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\W_]+")


def decoded(content: bytes) -> Any:
    """Return the JSON value. Return None for anything else, and for nesting and numbers that Python does not decode."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def decoded_object(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object, or None for anything else."""
    body = decoded(content)
    return body if isinstance(body, dict) else None


def is_broken(content: bytes) -> bool:
    """Return True for JSON that cannot be decoded: truncated, or nested too deeply."""
    return content.lstrip()[:1] in (b"{", b"[") and decoded(content) is None


def words_of(body: Any) -> str:
    """Return all texts of a JSON value, the outermost first, one on each line. A value is preceded by its key if that names a
    token or a grant."""
    found: list[str] = []
    waiting: deque[tuple[str, Any]] = deque([("", body)])
    for _ in range(MAX_VALUES):
        if not waiting:
            break
        key, value = waiting.popleft()
        if isinstance(value, dict):
            waiting.extend((str(name), item) for name, item in _some(value.items()))
        elif isinstance(value, list):
            waiting.extend((key, item) for item in _some(value))
        elif isinstance(value, str):
            subject = f"{key[:MAX_LETTERS]} " if "token" in key.lower() or "grant" in key.lower() else ""
            found.append(" ".join(_ADDRESS.sub(" ", subject + value[:MAX_LETTERS]).split()))
    return "\n".join(found)


def words_of_content(content: bytes) -> str:
    """Return the texts of a response that may be JSON, a form or plain text. HTML has none: such pages are written for
    people."""
    body = decoded(content)
    if body is not None:
        return words_of(body)
    text = content[:MAX_PLAIN_BYTES].decode("utf-8", "replace").strip()
    if text[:1] in ("<", "{", "["):
        return ""
    return words_of([unquote_plus(part).replace("=", " ") for part in text.split("&")])


def normalised(words: str) -> str:
    """Return the words in lower case with single spaces, so that "refreshTokenExpired" and "REFRESH_TOKEN_EXPIRED" are the
    same."""
    return "\n".join(_SEPARATORS.sub(" ", _HUMP.sub(" ", line)).strip().lower() for line in words.split("\n"))


def _some(items: Iterable[Any]) -> Iterable[Any]:
    return islice(items, MAX_VALUES)
