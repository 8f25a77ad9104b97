"""The image of a release: the files of a slot as one compressed stream. Pure.

    for each file, by path:   u16 length of the path | path, ASCII, relative to the slot | u32 size | bytes     (big-endian)

The stream is compressed as raw deflate with a window of 4 kB, for which a unit has enough memory while it works. The same
files always give the same bytes: zlib's level and window are fixed, and the image contains no build time.
"""

import struct
import zlib
from collections.abc import Mapping

from cloud_bridge.releases.release_errors import BadImage

MAX_IMAGE_BYTES = 262_144  # compressed
MAX_UNPACKED_BYTES = 1 << 20
MAX_PATH_BYTES = 64
ENDING = ".mpy"
MAIN = "firmware/main.mpy"
WINDOW_BITS = -12  # raw deflate; deflate.DeflateIO(..., deflate.RAW, 12) on the unit
LEVEL = 9
PIECE_BYTES = 1024
_PATH = struct.Struct(">H")
_SIZE = struct.Struct(">I")


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return the uncompressed stream of a slot. Raises BadImage for paths that a slot cannot have."""
    stream = bytearray()
    for path, content in sorted(files.items()):
        name = path.encode()
        if not _is_path(name):
            raise BadImage(f"{path!r} is not a path in a slot: at most {MAX_PATH_BYTES} characters, ending in {ENDING}")
        stream += _PATH.pack(len(name)) + name + _SIZE.pack(len(content)) + content
    if MAIN not in files:
        raise BadImage(f"there is no {MAIN}, which starts a unit")
    return bytes(stream)


def compress(stream: bytes) -> bytes:
    """Return the image. Raises BadImage if it is too large."""
    if len(stream) > MAX_UNPACKED_BYTES:
        raise BadImage(f"the files have {len(stream):,} bytes, and a slot takes {MAX_UNPACKED_BYTES:,}")
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS)
    image = compressor.compress(stream) + compressor.flush()
    if len(image) > MAX_IMAGE_BYTES:
        raise BadImage(f"the image has {len(image):,} bytes, and a slot takes {MAX_IMAGE_BYTES:,}")
    return image


def decompress(image: bytes) -> bytes:
    """Return the stream. Raises BadImage, and nothing else, for input that `compress` does not produce."""
    if len(image) > MAX_IMAGE_BYTES:
        raise BadImage(f"the image has {len(image):,} bytes, and a slot takes {MAX_IMAGE_BYTES:,}")
    decompressor = zlib.decompressobj(WINDOW_BITS)
    try:
        stream = decompressor.decompress(image, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise BadImage(f"the image is not raw deflate with a window of 4 kB: {error}") from error
    if decompressor.unconsumed_tail or not decompressor.eof or decompressor.unused_data:
        raise BadImage(
            f"the image is truncated, has bytes after its end, or unpacks to more than {MAX_UNPACKED_BYTES:,}"
        )
    return stream


def unpack(stream: bytes) -> dict[str, bytes]:
    """Return the files by path. Raises BadImage, and nothing else, for input that `pack` does not produce."""
    files: dict[str, bytes] = {}
    at, last = 0, b""
    while at < len(stream):
        try:
            (length,) = _PATH.unpack_from(stream, at)
            name = stream[at + _PATH.size : at + _PATH.size + length]
            (size,) = _SIZE.unpack_from(stream, at + _PATH.size + length)
        except struct.error as error:
            raise BadImage("the image ends in the middle of a file") from error
        start = at + _PATH.size + length + _SIZE.size
        if not _is_path(name) or name <= last or start + size > len(stream):
            raise BadImage(
                f"the image has a file {name[:40]!r} that is truncated, out of order or not allowed in a slot"
            )
        files[name.decode()] = stream[start : start + size]
        at, last = start + size, name
    if MAIN not in files:
        raise BadImage(f"the image has no {MAIN}, which starts a unit")
    return files


def pieces(image: bytes) -> list[bytes]:
    """Divide the image into the pieces that are sent and verified: PIECE_BYTES each, the last one shorter."""
    return [image[at : at + PIECE_BYTES] for at in range(0, len(image), PIECE_BYTES)]


def _is_path(name: bytes) -> bool:
    if not name.isascii() or len(name) > MAX_PATH_BYTES:
        return False
    path = name.decode()
    return path.isprintable() and path.endswith(ENDING) and not {"", ".", ".."} & set(path.split("/"))
