"""What a charger calls itself, and the id of its unit. Pure.

The identity of a charger is any text that its maker or an installer gave it, of 48 characters at most (identityString of OCPP
2.0.1, the longest of the versions), with spaces, slashes and letters of any language. The id of a unit stands in topics, paths
and file names, and has none of these. One rule leads from the one to the other: an identity that could be an id is that id;
of any other each character that may not be is a `-`, and eight digits of its SHA-256 follow, so that no two are alike.
"""

import re
from hashlib import sha256
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

from cloud_bridge.wire import UNIT_ID

MAX_IDENTITY = 48  # characters
_STEM, _DIGITS = 27, 8  # of the id, with a `-` between: 36
_OTHER = re.compile(r"[^A-Za-z0-9_-]")

NO_ID = "the address ends with no id of a charger"
LONG_ID = f"its id has more than {MAX_IDENTITY} characters"
ODD_ID = "its id has characters that cannot be shown"


def why_not(identity: str) -> str | None:
    """Why nothing can have this identity, in words for whoever installs it; None for one that is well."""
    if not identity:
        return NO_ID
    if len(identity) > MAX_IDENTITY:
        return LONG_ID
    return None if identity.isprintable() and "\ufffd" not in identity else ODD_ID


def unit_id_of(identity: str) -> str:
    """Of an identity that is well."""
    if UNIT_ID.match(identity) and not identity.startswith("_"):
        return identity
    identity = normalize("NFC", identity)
    digits = sha256(identity.encode()).hexdigest()[:_DIGITS]
    return f"{_OTHER.sub('-', identity)[:_STEM].lstrip('_')}-{digits}"


def read_identity(path: str, user: str | None) -> str:
    """Of the address of a request and the user name that came with it: the last part of the path, whatever is before it. Some
    chargers send the slash of their identity as it is; then as much of the path as the user name says. Empty for none."""
    where = path.partition("?")[0].rstrip("/")
    whole = decoded(where)
    if user and whole.endswith(f"/{user}"):
        return user
    return decoded(where.rpartition("/")[2]).strip()


def decoded(sent: str) -> str:
    """Without percent signs, once; in UTF-8, or else in Latin-1. `sent` is a text as the parser of requests makes it."""
    try:
        data = unquote_to_bytes(sent.encode(errors="surrogateescape"))
    except UnicodeEncodeError:
        return ""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def encoded(identity: str) -> str:
    """As the last part of an address."""
    return quote(identity, safe="")
