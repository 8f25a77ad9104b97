"""An authenticator and its browser by Web Authentication Level 2 (sections 5.8.1, 6.1, 6.5, 8.7), without our code or the
library.

It can misbehave: every part of what it signs can be replaced.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

UP, UV, AT = 0x01, 0x04, 0x40  # flags of section 6.1
AAGUID = bytes(16)


def b64(data: bytes) -> str:
    """Encode base64url without padding (section 3, "Base64url Encoding")."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def un64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value: Any) -> bytes:
    """Encode CBOR (RFC 8949), for the types that authenticators write."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(cbor, value))
    return _head(5, len(value)) + b"".join(cbor(key) + cbor(one) for key, one in value.items())


def _head(kind: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([kind << 5 | argument])
    code, width = next((code, width) for code, width in ((24, 1), (25, 2), (26, 4)) if argument < 256**width)
    return bytes([kind << 5 | code]) + argument.to_bytes(width, "big")


def _es256() -> tuple[dict[int, Any], Callable[[bytes], bytes]]:
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    return {1: 2, 3: -7, -1: 1, -2: x, -3: y}, lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))


def _eddsa() -> tuple[dict[int, Any], Callable[[bytes], bytes]]:
    key = ed25519.Ed25519PrivateKey.generate()
    return {1: 1, 3: -8, -1: 6, -2: key.public_key().public_bytes_raw()}, key.sign


def _rs256() -> tuple[dict[int, Any], Callable[[bytes], bytes]]:
    key = rsa.generate_private_key(65537, 2048)
    n = key.public_key().public_numbers().n.to_bytes(256, "big")
    return {1: 3, 3: -257, -1: n, -2: b"\1\0\1"}, lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


KEYS = {"ES256": _es256, "EdDSA": _eddsa, "RS256": _rs256}


class Device:
    """Holds one passkey. It learns the person's `handle` at creation. `counts` is the increment of its signature counter."""

    def __init__(self, key: str = "ES256", counts: int = 0) -> None:
        self.public_key, self._sign = KEYS[key]()
        self.credential_id = secrets.token_bytes(32)
        self.handle, self.count, self.counts = b"", 0, counts
        self.flags = UP | UV
        self.origin: str | None = None  # replaces the browser's
        self.rp_id: str | None = None  # replaces the options'

    def create(self, options: dict[str, Any], origin: str, **bad: Any) -> str:
        """Return the JSON of a new credential (5.1). `bad` replaces parts of it: fmt, statement, auth_data."""
        self.handle = un64(options["user"]["id"])
        attested = AAGUID + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor(self.public_key)
        auth_data = bad.get("auth_data", self._auth_data(options["rp"]["id"], AT) + attested)
        attestation = {"fmt": bad.get("fmt", "none"), "attStmt": bad.get("statement", {}), "authData": auth_data}
        client = self._client_data("webauthn.create", options["challenge"], origin)
        return self._credential({"clientDataJSON": b64(client), "attestationObject": b64(cbor(attestation))})

    def get(self, options: dict[str, Any], origin: str) -> str:
        """Return the JSON of an assertion (5.1.4)."""
        self.count += self.counts
        auth_data = self._auth_data(options["rpId"])
        client = self._client_data("webauthn.get", options["challenge"], origin)
        signature = self._sign(auth_data + hashlib.sha256(client).digest())
        return self._credential(
            {
                "clientDataJSON": b64(client),
                "authenticatorData": b64(auth_data),
                "signature": b64(signature),
                "userHandle": b64(self.handle),
            }
        )

    def _auth_data(self, rp_id: str, more_flags: int = 0) -> bytes:
        rp_hash = hashlib.sha256((self.rp_id or rp_id).encode()).digest()
        return rp_hash + bytes([self.flags | more_flags]) + self.count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str, origin: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin or origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _credential(self, response: dict[str, str]) -> str:
        name = b64(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
