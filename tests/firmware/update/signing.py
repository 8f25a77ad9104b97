"""Releases that a test makes and signs, without code of the firmware or the cloud. CPython only."""

import base64
import hashlib
import json
import struct
import zlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

PIECE_BYTES = 1024
FILES = {
    "firmware/app.mpy": b"M\x06\x00\x1f app" * 300,
    "firmware/main.mpy": b"M\x06\x00\x1f main",
    "modem/at.mpy": bytes(range(256)) * 40,
    "umqtt/simple.mpy": b"",
}


class Maker:
    """A maker with two keys. `public` are their public keys, as firmware/update/keys.py contains them."""

    def __init__(self) -> None:
        self._private = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        self.public = tuple(
            f"{point.x:064x}{point.y:064x}" for point in (key.public_key().public_numbers() for key in self._private)
        )

    def signature(self, line: bytes, key: int = 0) -> bytes:
        r, s = decode_dss_signature(self._private[key].sign(line, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def manifest(self, key: int = 0, **said: object) -> bytes:
        """Return a signed manifest file; `said` are its keys and values."""
        line = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        return line + b"\n%d " % key + base64.b64encode(self.signature(line, key)) + b"\n"

    def release(
        self, version: str = "1.4.0", files: dict[str, bytes] | None = None, key: int = 0, **changed: object
    ) -> tuple[bytes, bytes]:
        """Return (manifest, image) of these files."""
        return self.release_of(stream(FILES if files is None else files), version, key, **changed)

    def release_of(self, unpacked: bytes, version: str, key: int = 0, **changed: object) -> tuple[bytes, bytes]:
        """Return (manifest, image) of an arbitrary stream."""
        image = compressed(unpacked)
        said = {
            "version": version,
            "least": "0.0.0",
            "boards": ["tcall", "virtual"],
            "size": len(image),
            "unpacked": len(unpacked),
            "sha256": hashlib.sha256(image).hexdigest(),
            "unpacked_sha256": hashlib.sha256(unpacked).hexdigest(),
            "pieces": base64.b64encode(digests(image)).decode(),
            "notes": "",
        }
        return self.manifest(key, **{**said, **changed}), image


def stream(files: dict[str, bytes]) -> bytes:
    """Return an image before compression."""
    return b"".join(
        struct.pack(">H", len(path)) + path.encode() + struct.pack(">I", len(content)) + content
        for path, content in sorted(files.items())
    )


def compressed(unpacked: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    return packer.compress(unpacked) + packer.flush()


def digests(image: bytes) -> bytes:
    return b"".join(
        hashlib.sha256(image[at : at + PIECE_BYTES]).digest()[:16] for at in range(0, len(image), PIECE_BYTES)
    )


def order_of(manifest: bytes, version: str = "1.4.0", required: bool = False) -> dict[str, object]:
    """Return the arguments of the command `update`."""
    return {"v": version, "h": hashlib.sha256(manifest).hexdigest()[:16], "m": len(manifest), "r": required}
