"""The manifest of a release: a line of canonical JSON that describes its image, and a line with the signature. Pure.

    {"boards":["tcall"],"least":"1.0.0",...}\n
    0 BASE64

The number is that of the public key in the firmware, 0 or 1. The signature covers the first line without its line end.
Canonical JSON has sorted keys, no spaces and only ASCII. There is therefore only one way to write a manifest, and readers can
compare bytes.
"""

import base64
import hashlib
import json
import re
from binascii import Error as NotBase64
from typing import Any, NamedTuple

from cloud_bridge.releases.image import MAX_IMAGE_BYTES, MAX_UNPACKED_BYTES, PIECE_BYTES, decompress, pieces, unpack
from cloud_bridge.releases.release_errors import BadManifest
from cloud_bridge.releases.version import Version, read_version

MAX_MANIFEST_BYTES = 8192
MAX_NOTES = 200  # characters
MAX_BOARDS = 16
PIECE_HASH_BYTES = 16  # of the SHA-256 of each piece
SIGNATURE_BYTES = 64
KEYS = 2  # public keys in the firmware
NAME_DIGITS = 16  # of the SHA-256 of the manifest, by which commands and pieces refer to it
_BOARD = re.compile(r"[a-z0-9_]{1,32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Manifest(NamedTuple):
    """The first line. Sizes are in bytes."""

    version: Version
    least: Version  # a unit with an older version refuses the release
    boards: tuple[str, ...]
    size: int  # of the compressed image
    unpacked: int  # of the uncompressed stream
    sha256: str  # of the image, hexadecimal
    unpacked_sha256: str  # of the stream, which a unit verifies at each start
    pieces: str  # base64 of the concatenated hashes of all pieces
    notes: str


class Signed(NamedTuple):
    """A complete manifest."""

    manifest: Manifest
    line: bytes  # the signed bytes
    key: int
    signature: bytes  # r and s, 32 bytes each


def describe(image: bytes, version: Version, least: Version, boards: tuple[str, ...], notes: str) -> Manifest:
    """Make the manifest of an image. Raises BadImage, and BadManifest for invalid values."""
    stream = decompress(image)
    unpack(stream)
    hashes = b"".join(hashlib.sha256(piece).digest()[:PIECE_HASH_BYTES] for piece in pieces(image))
    manifest = Manifest(
        version,
        least,
        tuple(sorted(boards)),
        len(image),
        len(stream),
        hashlib.sha256(image).hexdigest(),
        hashlib.sha256(stream).hexdigest(),
        base64.b64encode(hashes).decode(),
        notes,
    )
    return read_line(write_line(manifest))


def write_line(manifest: Manifest) -> bytes:
    """Serialise the manifest as canonical JSON, without the line end."""
    said = manifest._asdict() | {
        "version": str(manifest.version),
        "least": str(manifest.least),
        "boards": list(manifest.boards),
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def read_line(line: bytes) -> Manifest:
    """Parse the first line. Raises BadManifest, and nothing else, for any bytes."""
    if len(line) > MAX_MANIFEST_BYTES:
        raise BadManifest(f"the manifest has more than {MAX_MANIFEST_BYTES:,} bytes")
    try:
        said = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise BadManifest("the manifest is not JSON in ASCII") from error
    if not isinstance(said, dict) or said.keys() != set(Manifest._fields):
        raise BadManifest(f"a manifest has the keys {', '.join(sorted(Manifest._fields))}, and no others")
    manifest = _checked(said)
    if write_line(manifest) != line:
        raise BadManifest("the manifest is not canonical JSON: sorted keys, no spaces")
    return manifest


def write_signed(line: bytes, key: int, signature: bytes) -> bytes:
    """Return the complete file. Raises BadManifest if it is too large for a unit."""
    whole = line + b"\n" + f"{key} {base64.b64encode(signature).decode()}\n".encode()
    if len(whole) > MAX_MANIFEST_BYTES:
        raise BadManifest(f"the manifest has {len(whole):,} bytes, and a unit takes {MAX_MANIFEST_BYTES:,}")
    return whole


def read_signed(whole: bytes) -> Signed:
    """Parse a signed file. The signature is not verified. Raises BadManifest, and nothing else."""
    if len(whole) > MAX_MANIFEST_BYTES:
        raise BadManifest(f"the manifest has more than {MAX_MANIFEST_BYTES:,} bytes")
    lines = whole.split(b"\n")
    if len(lines) != 3 or lines[2]:
        raise BadManifest("a manifest is a line of JSON and a line with the signature: `release sign` adds that")
    number, _, encoded = lines[1].partition(b" ")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except NotBase64 as error:
        raise BadManifest("the signature is not base64") from error
    is_canonical = base64.b64encode(signature) == encoded  # the last letter of base64 has unused bits
    if number not in (b"0", b"1") or len(signature) != SIGNATURE_BYTES or not is_canonical:
        raise BadManifest("the second line is the number of a key, 0 or 1, and 64 bytes of signature in base64")
    return Signed(read_line(lines[0]), lines[0], int(number), signature)


def check_image(manifest: Manifest, image: bytes) -> None:
    """Raise BadManifest or BadImage if the manifest does not describe this image."""
    if describe(image, manifest.version, manifest.least, manifest.boards, manifest.notes) != manifest:
        raise BadManifest("the image is not the one that the manifest describes")


def name_of(whole: bytes) -> str:
    """Return the name by which commands and pieces refer to a manifest: the first digits of the SHA-256 of its file."""
    return hashlib.sha256(whole).hexdigest()[:NAME_DIGITS]


def _checked(said: dict[str, Any]) -> Manifest:
    version, least = (read_version(said[key]) if isinstance(said[key], str) else None for key in ("version", "least"))
    if version is None or least is None:
        raise BadManifest("a version is three numbers: 1.4.0")
    boards, notes, hashes = said["boards"], said["notes"], said["pieces"]
    sha256, unpacked_sha256 = (_digits(said[key]) for key in ("sha256", "unpacked_sha256"))
    if not isinstance(boards, list) or not 1 <= len(boards) <= MAX_BOARDS or not all(map(_is_board, boards)):
        raise BadManifest(f"boards are 1 to {MAX_BOARDS} names of files in firmware/boards")
    if not isinstance(notes, str) or len(notes) > MAX_NOTES or not notes.isprintable():
        raise BadManifest(f"notes are one line of at most {MAX_NOTES} characters")
    size, unpacked = _count(said["size"], MAX_IMAGE_BYTES), _count(said["unpacked"], MAX_UNPACKED_BYTES)
    if not isinstance(hashes, str) or len(_decoded(hashes)) != -(-size // PIECE_BYTES) * PIECE_HASH_BYTES:
        raise BadManifest(f"pieces has {PIECE_HASH_BYTES} bytes for each piece of {PIECE_BYTES}, in base64")
    return Manifest(version, least, tuple(boards), size, unpacked, sha256, unpacked_sha256, hashes, notes)


def _is_board(name: object) -> bool:
    return isinstance(name, str) and _BOARD.fullmatch(name) is not None


def _count(value: object, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise BadManifest(f"a size is a number from 1 to {most:,}")
    return value


def _digits(value: object) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise BadManifest("a SHA-256 has 64 hexadecimal digits")
    return value


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # not base64, or not ASCII
        return b""
