"""The files of an update in the flash: their progress, and their repair after a power cut."""

import binascii
import hashlib
import os

from firmware.update.transfer import PIECE_BYTES

if False:  # for mypy alone
    from typing import Any

IMAGE_FILE = "/image"  # in a slot, as installer.py has it
DIGEST_BYTES = 16  # of a piece


def prepare(folder: str) -> int:
    """Remove incomplete files that a power cut has left in a slot; return how many bytes of the image are stored."""
    for name in ("/image.new", "/product.new", "/product"):
        remove(folder + name)
    return _length(folder + IMAGE_FILE)


def keep_good_pieces(path: str, pieces: bytes) -> "Any":
    """Truncate an image after its last good piece, after a power cut: a chip that reorders its writes may have stored the
    length of a piece without its bytes. A generator. `pieces`: the digests of the manifest. Raises OSError.
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
        pass  # it does not exist; if it does, the next write raises


def held_bytes(folder: str) -> int:
    """Return the total size of the files in a folder; 0 if there is no such folder."""
    try:
        return sum(_length(folder + "/" + name) for name in os.listdir(folder))
    except OSError:
        return 0


def make_folder(folder: str) -> None:
    try:
        os.mkdir(folder)
    except OSError:
        pass  # it exists; otherwise the first write fails


def whole_pieces(path: str, total: int) -> int:
    """Return the length of a partly fetched file. A file whose length is not that of whole pieces is removed; 0 then."""
    length = _length(path)
    if length == total or (length < total and length % PIECE_BYTES == 0):
        return length
    os.remove(path)
    return 0


def _length(path: str) -> int:
    """Return the length of a file; 0 if there is none. Each piece is written completely or not at all."""
    try:
        return int(os.stat(path)[6])
    except OSError:
        return 0


def short_hash(path: str) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a short file; "" if there is no such file."""
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
