"""The key pair that identifies us to Web Push services (VAPID, RFC 8292): a file in the data folder that only its owner may
read.

It is created when a browser first subscribes. A browser's subscription is bound to the key. If the file is lost, push services
refuse us, and notifications have to be allowed again in every browser (static/push.js notices that the key has changed).
"""

import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path
from threading import Lock

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from py_vapid import Vapid02

from cloud_bridge.errors import BridgeError
from cloud_bridge.store.private_files import FILE_MODE, make_private_folder

FILE_NAME = "web-push-key.pem"


class KeyUnusable(BridgeError):
    """The file can be neither read nor created."""


class PushKey:
    """The key pair. `contact` is how a push service can reach us: a mailto: or https: URL. Thread-safe."""

    def __init__(self, folder: Path, contact: str) -> None:
        self._path = folder / FILE_NAME
        self._contact = contact
        self._lock = Lock()
        self._key: ec.EllipticCurvePrivateKey | None = None

    def public(self) -> str:
        """Return the public key as browsers expect it: the uncompressed point in base64url. Raises KeyUnusable."""
        point = self._private().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return urlsafe_b64encode(point).rstrip(b"=").decode()

    def authorization(self, audience: str, until_s: int) -> str:
        """Return the Authorization header for the push service with the origin `audience`. Raises KeyUnusable."""
        claims = {"aud": audience, "exp": until_s, "sub": self._contact}
        # Its strict check rejects URLs with a port.
        signed: dict[str, str] = Vapid02(self._private(), {"no-strict": True}).sign(claims)
        return signed["Authorization"]

    def _private(self) -> ec.EllipticCurvePrivateKey:
        with self._lock:
            if self._key is None:
                self._key = self._read() if self._path.exists() else self._made()
            return self._key

    def _made(self) -> ec.EllipticCurvePrivateKey:
        """Create the key. If two processes do so at once, the first one's key is used."""
        fresh = self._path.with_name(f".{FILE_NAME}.{secrets.token_hex(4)}")
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            make_private_folder(self._path.parent)
            with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE), "wb") as file:
                file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, self._path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink(missing_ok=True)
        except OSError as error:
            raise KeyUnusable(f"cannot write {self._path}: {error.strerror}") from error
        return self._read()

    def _read(self) -> ec.EllipticCurvePrivateKey:
        try:
            key = load_pem_private_key(self._path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise KeyUnusable(f"cannot use {self._path}: put the file back, or delete it") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise KeyUnusable(f"cannot use {self._path}: it is no key of P-256")
        return key
