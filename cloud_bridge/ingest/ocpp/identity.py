"""Map the OCPP identity of a charger to the id of its unit. Pure.

An identity is any text that a maker or an installer has chosen, of at most 48 characters (identityString of OCPP 2.0.1,
the longest of the versions). It may have spaces, slashes and letters of any language. A unit id is used in topics,
paths and file names, and has none of these. An identity that is a valid id is used as the id. In any other, each
invalid character is replaced by `-`, and eight hexadecimal digits of its SHA-256 are appended, so that two identities
do not get the same id.
"""

import re
from hashlib import sha256
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

from cloud_bridge.wire import UNIT_ID

MAX_IDENTITY = 48  # characters
_STEM, _DIGITS = 27, 8  # characters; with the `-` in between, an id has 36
_OTHER = re.compile(r"[^A-Za-z0-9_-]")

NO_ID = "the address ends with no id of a charger"
LONG_ID = f"its id has more than {MAX_IDENTITY} characters"
ODD_ID = "its id has characters that cannot be shown"


def why_not(identity: str) -> str | None:
    """Return why an identity is not valid, worded for an installer, or None if it is valid."""
    if not identity:
        return NO_ID
    if len(identity) > MAX_IDENTITY:
        return LONG_ID
    return None if identity.isprintable() and "\ufffd" not in identity else ODD_ID


def unit_id_of(identity: str) -> str:
    """Return the unit id for a valid identity."""
    if UNIT_ID.match(identity) and not identity.startswith("_"):
        return identity
    identity = normalize("NFC", identity)
    digits = sha256(identity.encode()).hexdigest()[:_DIGITS]
    return f"{_OTHER.sub('-', identity)[:_STEM].lstrip('_')}-{digits}"


def read_identity(path: str, user: str | None) -> str:
    """Return the identity from the path of a request: its last segment, decoded. If the path ends with the user name,
    return that: some chargers do not encode a slash in their identity. Return "" if there is none."""
    where = path.partition("?")[0].rstrip("/")
    whole = decoded(where)
    if user and whole.endswith(f"/{user}"):
        return user
    return decoded(where.rpartition("/")[2]).strip()


def decoded(sent: str) -> str:
    """Decode percent-encoding once, as UTF-8 or else Latin-1. `sent` is as the request parser returns it, with
    surrogate escapes."""
    try:
        data = unquote_to_bytes(sent.encode(errors="surrogateescape"))
    except UnicodeEncodeError:
        return ""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def encoded(identity: str) -> str:
    """Percent-encode an identity as the last segment of a URL."""
    return quote(identity, safe="")
