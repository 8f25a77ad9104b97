"""Verifies a fetched image and unpacks it to a product in a slot. Generators: each yields after a step of some milliseconds.

The results of the transfer are not trusted: size, digest and signature are checked on the files in the flash. The product is
unpacked to a temporary name and renamed when it is complete.
"""

import hashlib
import os
import struct

import deflate

from firmware.errors import UpdateRefused
from firmware.update import ecdsa, manifest
from firmware.update.keys import KEYS

if False:  # for mypy alone
    from typing import Any

MANIFEST, IMAGE, PRODUCT = "/manifest", "/image", "/product"  # in a slot
NEW = ".new"  # suffix of an incomplete file
STEP_BYTES = 512
WINDOW_BITS = 12  # of the deflate stream: 4 kB of memory
NAME_MAX = 64
FIRST = "firmware/main.mpy"  # must be in the image
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/"


def trusted(content: bytes) -> "Any":
    """Return the Manifest in a file if one of KEYS has signed it. Raises UpdateRefused."""
    signed = manifest.split(content)
    key = bytes.fromhex(KEYS[signed.key]) if KEYS[signed.key] else b""
    digest = hashlib.sha256(signed.line).digest()
    yield
    if not (yield from ecdsa.verify(key, digest, signed.signature)):
        raise UpdateRefused("signature")
    return manifest.read(signed.line)


def install(folder: str) -> "Any":
    """Verify and unpack the image in `folder`. Raises UpdateRefused, and OSError if the flash fails."""
    with open(folder + MANIFEST, "rb") as file:
        said = yield from trusted(file.read(manifest.MANIFEST_MAX + 1))
    yield from _check_image(folder + IMAGE, said)
    yield from _unpack(folder, said)
    os.rename(folder + PRODUCT + NEW, folder + PRODUCT)


def _check_image(path: str, said: "manifest.Manifest") -> "Any":
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        piece = file.read(STEP_BYTES)
        while piece:
            digest.update(piece)
            size += len(piece)
            yield
            piece = file.read(STEP_BYTES)
    if size != said.size:
        raise UpdateRefused("size")
    if digest.digest() != said.sha256:
        raise UpdateRefused("hash")


def _unpack(folder: str, said: "manifest.Manifest") -> "Any":
    with open(folder + IMAGE, "rb") as packed, open(folder + PRODUCT + NEW, "wb") as target:
        unpacking = _Unpacking(deflate.DeflateIO(packed, deflate.RAW, WINDOW_BITS), target, said.unpacked)
        names: list[str] = [""]  # the name of the last file
        found = False
        while unpacking.left:
            name, size = unpacking.head()
            if name <= names[0]:
                raise UpdateRefused("manifest")  # names are not sorted, or not unique
            names[0] = name
            found = found or name == FIRST
            yield from unpacking.content(size)
        if not found or unpacking.more():
            raise UpdateRefused("size" if found else "manifest")
        if unpacking.digest.digest() != said.unpacked_sha256:
            raise UpdateRefused("hash")


class _Unpacking:
    """Copies a stream to a file, at most `left` bytes. It checks even a signed image, which may have a maker's mistakes."""

    def __init__(self, stream: "Any", target: "Any", left: int) -> None:
        self._stream = stream
        self._target = target
        self.left = left
        self.digest = hashlib.sha256()

    def head(self) -> "tuple[str, int]":
        """Return (name, size in bytes) of the next file. Raises UpdateRefused."""
        (length,) = struct.unpack(">H", self._copy(2))
        if not 0 < length <= NAME_MAX:
            raise UpdateRefused("manifest")
        name = "".join(chr(byte) for byte in self._copy(length))
        if not name.endswith(".mpy") or not all(letter in LETTERS for letter in name[:-4]) or name[0] == "/":
            raise UpdateRefused("manifest")
        (size,) = struct.unpack(">I", self._copy(4))
        return name, size

    def content(self, size: int) -> "Any":
        while size:
            size -= len(self._copy(min(size, STEP_BYTES)))
            yield

    def more(self) -> bool:
        """Return whether the stream has further bytes."""
        return bool(self._read(1))

    def _copy(self, count: int) -> bytes:
        if count > self.left:
            raise UpdateRefused("size")
        got = b""
        while len(got) < count:
            piece = self._read(count - len(got))
            if not piece:
                raise UpdateRefused("size")
            got += piece
        self.left -= count
        self.digest.update(got)
        self._target.write(got)
        return got

    def _read(self, most: int) -> bytes:
        try:
            return bytes(self._stream.read(most))
        except (OSError, EOFError, ValueError):  # from the flash or the decompression: the image is damaged
            raise UpdateRefused("hash") from None
