"""Small releases for tests, signed with a key that is generated for the run."""

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from cloud_bridge.releases.image import MAIN, compress, pack
from cloud_bridge.releases.manifest import Manifest, describe, write_line, write_signed
from cloud_bridge.releases.signature import sign
from cloud_bridge.releases.version import Version

KEY = ec.generate_private_key(ec.SECP256R1())
FILES = {MAIN: b"M\x06" + bytes(range(256)) * 9, "modem/at.mpy": b"M\x06at", "firmware/app.mpy": b""}


class Made(NamedTuple):
    manifest: Manifest
    whole: bytes  # the file of the manifest
    image: bytes


def release(version: str = "1.4.0", boards: tuple[str, ...] = ("tcall",), filling: bytes = b"") -> Made:
    """Return a release signed with KEY, which is key number 0."""
    image = compress(pack(FILES | {"firmware/filling.mpy": filling}))
    manifest = describe(image, Version(*map(int, version.split("."))), Version(1, 0, 0), boards, "Charges faster.")
    line = write_line(manifest)
    return Made(manifest, write_signed(line, 0, sign(KEY, line)), image)
