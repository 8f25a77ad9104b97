"""Is a manifest one canonical line, and everything else refused?"""

import base64
import hashlib
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.releases.image import compress, decompress, pack
from cloud_bridge.releases.manifest import (
    MAX_MANIFEST_BYTES,
    Manifest,
    check_image,
    describe,
    name_of,
    read_line,
    read_signed,
    write_line,
    write_signed,
)
from cloud_bridge.releases.release_errors import BadManifest, ReleaseError
from cloud_bridge.releases.version import Version, read_version
from tests.cloud_bridge.releases.making import FILES, release

MADE = release()
LINE = write_line(MADE.manifest)


def test_the_line_is_canonical_and_says_what_the_image_is() -> None:
    said = json.loads(LINE)
    assert json.dumps(said, sort_keys=True, separators=(",", ":")).encode("ascii") == LINE
    assert said["sha256"] == hashlib.sha256(MADE.image).hexdigest()
    assert said["unpacked_sha256"] == hashlib.sha256(decompress(MADE.image)).hexdigest()
    assert (said["version"], said["least"], said["boards"]) == ("1.4.0", "1.0.0", ["tcall"])
    assert base64.b64decode(said["pieces"])[:16] == hashlib.sha256(MADE.image[:1024]).digest()[:16]
    assert read_line(LINE) == MADE.manifest


def test_a_signed_manifest_comes_back_and_is_named_by_its_hash() -> None:
    signed = read_signed(MADE.whole)
    assert (signed.manifest, signed.line, signed.key) == (MADE.manifest, LINE, 0)
    assert name_of(MADE.whole) == hashlib.sha256(MADE.whole).hexdigest()[:16]
    assert MADE.whole == LINE + b"\n0 " + base64.b64encode(signed.signature) + b"\n"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", "1.4"),
        ("version", "01.4.0"),
        ("version", 1),
        ("least", "latest"),
        ("boards", []),
        ("boards", "tcall"),
        ("boards", ["../tcall"]),
        ("boards", [["tcall"]]),
        ("size", 0),
        ("size", 262_145),
        ("size", True),
        ("size", 1.5),
        ("unpacked", 2**40),
        ("sha256", "0" * 63),
        ("unpacked_sha256", None),
        ("pieces", ""),
        ("pieces", "é"),
        ("notes", "n" * 201),
        ("notes", "two\nlines"),
        ("more", 1),
    ],
)
def test_what_no_manifest_says_is_refused(key: str, value: Any) -> None:
    line = json.dumps(json.loads(LINE) | {key: value}, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(BadManifest):
        read_line(line)


def test_the_same_said_in_another_way_is_refused() -> None:
    """Two files with one meaning would have two names."""
    for line in (LINE.replace(b",", b", "), b" " + LINE, json.dumps(json.loads(LINE)).encode()):
        with pytest.raises(BadManifest):
            read_line(line)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_manifest_or_refused(data: bytes) -> None:
    for read in (read_line, read_signed):
        with pytest.raises(BadManifest):
            read(data)


@given(st.integers(0, len(MADE.whole) * 8 - 1))
def test_every_flipped_bit_is_another_manifest_or_none(bit: int) -> None:
    bent = bytearray(MADE.whole)
    bent[bit // 8] ^= 1 << bit % 8
    try:
        signed = read_signed(bytes(bent))
    except BadManifest:
        return
    assert (signed.line, signed.signature, signed.key) != tuple(read_signed(MADE.whole))[1:]


def test_an_image_of_another_release_is_not_taken_for_this_one() -> None:
    check_image(MADE.manifest, MADE.image)
    bent = bytearray(MADE.image)
    bent[len(bent) // 2] ^= 1
    for image in (release(filling=b"x").image, bytes(bent), MADE.image[:-1], b""):
        with pytest.raises(ReleaseError):
            check_image(MADE.manifest, image)


def test_the_largest_image_has_a_manifest_that_a_unit_takes() -> None:
    noise = random.Random(3).randbytes(260_000)
    image = compress(pack(FILES | {"firmware/noise.mpy": noise}))
    boards = tuple(f"board_{number:02}" for number in range(16))
    manifest = describe(image, Version(1, 0, 0), Version(0, 0, 0), boards, "é" * 200)
    whole = write_signed(write_line(manifest), 1, bytes(64))
    assert len(whole) <= MAX_MANIFEST_BYTES
    assert isinstance(read_signed(whole).manifest, Manifest)


@pytest.mark.parametrize("text", ["1.4", "1.4.0-rc1", "v1.4.0", "", "1.4.0.0", "1.4.٣", "100000.0.0", " 1.4.0"])
def test_a_version_is_three_numbers(text: str) -> None:
    assert read_version(text) is None


def test_versions_compare_as_numbers() -> None:
    assert Version(1, 10, 0) > Version(1, 9, 9)
    assert str(read_version("1.10.0")) == "1.10.0"
