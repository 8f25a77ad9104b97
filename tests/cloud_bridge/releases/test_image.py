"""Do the same files always give the same image, and are all other bytes refused?"""

import random
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.releases.image import (
    MAIN,
    MAX_IMAGE_BYTES,
    PIECE_BYTES,
    WINDOW_BITS,
    compress,
    decompress,
    pack,
    pieces,
    unpack,
)
from cloud_bridge.releases.release_errors import BadImage

NOISE = random.Random(3).randbytes(MAX_IMAGE_BYTES + 1)
NAMES = st.from_regex(r"[a-z_]{1,8}(/[a-z_]{1,8}){0,2}\.mpy", fullmatch=True)


@given(st.dictionaries(NAMES, st.binary(max_size=3000), max_size=8))
def test_the_files_come_back_and_their_order_changes_nothing(files: dict[str, bytes]) -> None:
    files[MAIN] = b"main"
    stream = pack(files)
    assert pack(dict(reversed(files.items()))) == stream
    image = compress(stream)
    assert compress(stream) == image
    assert unpack(decompress(image)) == files
    assert b"".join(pieces(image)) == image
    assert all(len(piece) == PIECE_BYTES for piece in pieces(image)[:-1])


def test_a_file_is_packed_as_the_contract_says() -> None:
    assert pack({MAIN: b"xyz"}) == b"\x00\x11firmware/main.mpy\x00\x00\x00\x03xyz"


@pytest.mark.parametrize("path", ["main.py", "/a.mpy", "a/../b.mpy", "./a.mpy", "a//b.mpy", "é.mpy", "a" * 61 + ".mpy"])
def test_a_path_that_no_slot_has_is_refused(path: str) -> None:
    with pytest.raises(BadImage, match="is not a path in a slot"):
        pack({MAIN: b"", path: b""})


def test_an_image_without_its_main_or_too_large_for_a_slot_is_refused() -> None:
    with pytest.raises(BadImage, match="there is no firmware/main.mpy"):
        pack({"firmware/app.mpy": b""})
    with pytest.raises(BadImage, match=r"the image has 262,\d{3} bytes, and a slot takes 262,144"):
        compress(pack({MAIN: NOISE}))
    with pytest.raises(BadImage, match="the files have"):
        compress(pack({MAIN: bytes(2_000_000)}))


@given(st.binary(max_size=300))
def test_any_bytes_are_an_image_or_refused(data: bytes) -> None:
    with suppress(BadImage):
        unpack(data)
    with suppress(BadImage):
        unpack(decompress(data))


@pytest.mark.parametrize("bend", [lambda it: it[:-1], lambda it: it + b"x", lambda it: it[:10]])
def test_an_image_that_is_cut_off_or_has_more_behind_it_is_refused(bend: Callable[[bytes], bytes]) -> None:
    image = compress(pack({MAIN: b"main"}))
    with pytest.raises(BadImage):
        decompress(bend(image))


def test_a_bomb_is_not_unpacked() -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, WINDOW_BITS)
    bomb = compressor.compress(bytes(100_000_000)) + compressor.flush()
    with pytest.raises(BadImage):
        decompress(bomb)
