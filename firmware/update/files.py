"""The files of an update in the flash: how far each has come, and what a cut has left of it."""

import binascii
import hashlib
import os

from firmware.update.transfer import PIECE_BYTES

if False:  # for mypy alone
    from typing import Any

IMAGE_FILE = "/image"  # in a slot, as installer.py has it
DIGEST_BYTES = 16  # of a piece


def prepare(folder: str) -> int:
    """Remove what a cut has left of an unpacking; the bytes of the image that have come."""
    for name in ("/image.new", "/product.new", "/product"):
        remove(folder + name)
    return _length(folder + IMAGE_FILE)


def keep_good_pieces(path: str, pieces: bytes) -> "Any":
    """Of an image that a cut has left: a chip that reorders its writes may have kept the length of a piece without its bytes.
    Raises OSError.
    """
    good = 0
    with open(path, "rb") as file:
        piece = file.read(PIECE_BYTES)
        while piece and digest(piece) == part(pieces, good // PIECE_BYTES):
            good += len(piece)
            yield
            piece = file.read(PIECE_BYTES)
    if good == _length(path):
        return
    with open(path, "rb") as file, open(path + ".new", "wb") as target:
        for _ in range(good // PIECE_BYTES):
            target.write(file.read(PIECE_BYTES))
            yield
    os.rename(path + ".new", path)


def remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        pass  # it is not there; if it is, the next write shows what is wrong


def held_bytes(folder: str) -> int:
    """Bytes of all files in a folder."""
    try:
        return sum(_length(folder + "/" + name) for name in os.listdir(folder))
    except OSError:
        return 0  # there is no such folder


def make_folder(folder: str) -> None:
    try:
        os.mkdir(folder)
    except OSError:
        pass  # it is there; if not, the first write fails


def whole_pieces(path: str, total: int) -> int:
    """The length of a file so far; one that no pieces can have made is removed."""
    length = _length(path)
    if length == total or (length < total and length % PIECE_BYTES == 0):
        return length
    os.remove(path)
    return 0


def _length(path: str) -> int:
    """Of a file that is fetched: 0 if there is none. Each piece is written whole, or not at all."""
    try:
        return int(os.stat(path)[6])
    except OSError:
        return 0


def short_hash(path: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a short file; "" if there is none."""
    try:
        with open(path, "rb") as file:
            return binascii.hexlify(hashlib.sha256(file.read()).digest()[:8]).decode()
    except OSError:
        return ""


def digest(piece: bytes) -> bytes:
    digest: bytes = hashlib.sha256(piece).digest()[:DIGEST_BYTES]
    return digest


def part(pieces: bytes, number: int) -> bytes:
    return pieces[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES]
