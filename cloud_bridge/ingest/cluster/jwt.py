"""JSON web tokens in the format of NATS, signed with Ed25519 keys (github.com/nats-io/jwt, version 2). Pure."""

import base64
import binascii
import json
from typing import Any

from cloud_bridge.ingest.cluster.nkey import Signer, is_signed_by

MAX_BYTES = 65_536  # forty times a normal login; an MQTT password alone may be that long
ALGORITHM = "ed25519-nkey"


class BadToken(ValueError):
    """The bytes are not a valid token that is signed by a node."""


def read_token(data: bytes) -> dict[str, Any]:
    """Return the claims of a token that is signed by the server that it names as its issuer. Raises BadToken, and
    nothing else, whatever the bytes are."""
    if len(data) > MAX_BYTES:
        raise BadToken("too long")
    signed, _, signature = data.rpartition(b".")
    header, _, body = signed.partition(b".")
    claims = _object(body)
    if _object(header).get("alg") != ALGORITHM:
        raise BadToken("signed by another algorithm")
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not is_signed_by(issuer, signed, _bytes(signature)):
        raise BadToken("not signed by its issuer")
    return claims


def write_token(signer: Signer, claims: dict[str, Any]) -> str:
    """Return a token with these claims, signed, with the signer as its issuer."""
    signed = f"{_HEADER}.{_text(_json(claims | {'iss': signer.public}))}"
    return f"{signed}.{_text(signer.sign(signed.encode()))}"


def _object(part: bytes) -> dict[str, Any]:
    try:
        value = json.loads(_bytes(part))
    except (ValueError, RecursionError) as error:
        raise BadToken("not JSON") from error
    if not isinstance(value, dict):
        raise BadToken("not an object")
    return value


def _bytes(part: bytes) -> bytes:
    try:
        return base64.b64decode(part + b"=" * (-len(part) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadToken("not base64") from error


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


_HEADER = _text(_json({"typ": "JWT", "alg": ALGORITHM}))
