"""Login requests as a node sends them, signed by a node's key."""

import base64
import binascii
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_bridge.ingest.cluster.nkey import SERVER, Signer, new_seed

OURS = Signer(new_seed())
USER_KEY = "UBCHGQUIPFGOB3ACNFYAD4DXZKYW2SQOUXQMLOLTCE7QJGDACOPBHKRF"


class ANode:
    """A node with its own key."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        raw = bytes([SERVER]) + self._key.public_key().public_bytes_raw()
        self.id = base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode().rstrip("=")

    def asks(self, user: str = "home-1", secret: str = "secret", client_id: str | None = None) -> dict[str, Any]:
        """Return the claims of its request for an MQTT client."""
        return {
            "aud": "nats-authorization-request",
            "iss": self.id,
            "sub": OURS.public,
            "nats": {
                "server_id": {"name": "n1", "id": self.id},
                "user_nkey": USER_KEY,
                "client_info": {"host": "127.0.0.1", "id": 22, "type": "mqtt", "mqtt_id": client_id or user},
                "connect_opts": {"user": user, "pass": secret},
            },
        }

    def signs(self, claims: object, header: object = None) -> bytes:
        """Return the signed request."""
        signed = b".".join(map(_text, (header or {"typ": "JWT", "alg": "ed25519-nkey"}, claims)))
        return signed + b"." + base64.urlsafe_b64encode(self._key.sign(signed)).rstrip(b"=")


def claims_of(token: bytes | str) -> dict[str, Any]:
    """Return the claims without checking the signature."""
    text = token if isinstance(token, str) else token.decode()
    body = text.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def _text(value: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")
