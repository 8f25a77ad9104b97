"""The manifest of a release: describes the image and its target boards, and has a signature. Pure; invalid bytes are refused.

It consists of one line of JSON, and a line `KEY SIGNATURE`: the number of a key in keys.py, and the base64 of the 64 bytes r
and s of the signature over the SHA-256 of the first line without its line end.
"""

import binascii
import json
from collections import namedtuple

from firmware.errors import UpdateRefused

if False:  # for mypy alone
    from typing import Any

MANIFEST_MAX = 8192  # bytes
IMAGE_MAX = 262144  # bytes of an image, compressed
UNPACKED_MAX = 1048576  # bytes of an unpacked image
PIECE_BYTES = 1024  # size of a piece of the image; each has its own digest
DIGEST_BYTES = 16  # of the SHA-256 of a piece
BOARDS_MAX = 16
NAME_MAX = 40  # characters of a board's name
SHA256_DIGITS = 64
SIGNATURE_BYTES = 64
NUMBER_MAX = 9999  # of a part of a version

# version, least: three numbers each. pieces: the concatenated digests of the pieces
Manifest = namedtuple("Manifest", "version least boards size unpacked sha256 unpacked_sha256 pieces")
# line: the signed bytes, which are the first line; key: number of the key
Signed = namedtuple("Signed", "line key signature")


def split(content: bytes) -> Signed:
    """Split a manifest file into its two lines, without parsing the first, whose signature is not verified yet. Raises
    UpdateRefused.
    """
    line, _, rest = content.partition(b"\n")
    number, _, text = rest.partition(b" ")
    text = text.rstrip(b"\n")
    try:
        signature = binascii.a2b_base64(text)
    except ValueError:
        raise UpdateRefused("manifest") from None
    if len(content) > MANIFEST_MAX or number not in (b"0", b"1") or len(signature) != SIGNATURE_BYTES:
        raise UpdateRefused("manifest")
    if binascii.b2a_base64(signature).rstrip(b"\n") != text:
        raise UpdateRefused("manifest")
    return Signed(line, int(number), signature)


def read(line: bytes) -> Manifest:
    """Parse the first line, after its signature was verified. Raises UpdateRefused."""
    if len(line) > MANIFEST_MAX or any(byte > 126 for byte in line):
        raise UpdateRefused("manifest")
    try:
        return _manifest(json.loads(line))
    except (ValueError, TypeError, KeyError, RuntimeError, OverflowError):  # RuntimeError: nested too deeply
        raise UpdateRefused("manifest") from None


def judge(manifest: Manifest, version: str, board: str) -> None:
    """Raise UpdateRefused if the release is not for this board, or not for a unit that runs `version`."""
    if board not in manifest.boards:
        raise UpdateRefused("board")
    runs = numbers(version)
    if manifest.version <= runs or runs < manifest.least:
        raise UpdateRefused("version")


def numbers(version: object) -> "tuple[int, ...]":
    """Return (1, 4, 0) for "1.4.0". Raises ValueError if it is not a version."""
    parts = version.split(".") if isinstance(version, str) and len(version) <= 14 else ()
    if len(parts) != 3 or not all(part and all(digit in "0123456789" for digit in part) for part in parts):
        raise ValueError("no version")
    found = tuple(int(part) for part in parts)
    if max(found) > NUMBER_MAX:
        raise ValueError("no version")
    return found


def _manifest(said: "Any") -> Manifest:
    boards, size, unpacked = said["boards"], said["size"], said["unpacked"]
    if not isinstance(boards, list) or not 0 < len(boards) <= BOARDS_MAX:
        raise ValueError("boards")
    if not all(isinstance(name, str) and 0 < len(name) <= NAME_MAX for name in boards):
        raise ValueError("boards")
    pieces = binascii.a2b_base64(_text(said["pieces"]))
    if len(pieces) != (_whole(size, IMAGE_MAX) + PIECE_BYTES - 1) // PIECE_BYTES * DIGEST_BYTES:
        raise ValueError("pieces")
    return Manifest(
        numbers(said["version"]),
        numbers(said["least"]),
        tuple(boards),
        size,
        _whole(unpacked, UNPACKED_MAX),
        _sha256(said["sha256"]),
        _sha256(said["unpacked_sha256"]),
        pieces,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value


def _whole(value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
        raise ValueError("no number")
    return value


def _sha256(value: object) -> bytes:
    if not isinstance(value, str) or len(value) != SHA256_DIGITS:
        raise ValueError("no SHA-256")
    return binascii.unhexlify(value)
