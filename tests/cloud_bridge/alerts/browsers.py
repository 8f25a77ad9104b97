"""Browsers that subscribe to push notifications: their keys, and decryption of the messages."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cloud_bridge.alerts.web_push import checked_target
from cloud_bridge.store.push_browsers import PushTarget

AUTH = bytes(range(16))


def base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class PushedBrowser:
    """`endpoint` is the browser's address at a push service."""

    def __init__(self, endpoint: str = "https://hooks.example/push/1") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.endpoint = endpoint
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.fields = {"endpoint": endpoint, "p256dh": base64url(point), "auth": base64url(AUTH)}

    @property
    def target(self) -> PushTarget:
        return checked_target(**self.fields)

    def reads(self, body: bytes) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.plain(body))
        return told

    def plain(self, body: bytes) -> bytes:
        plain: bytes = http_ece.decrypt(body, private_key=self.key, auth_secret=AUTH, version="aes128gcm")
        return plain
