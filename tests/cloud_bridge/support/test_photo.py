"""Is a photo re-encoded from its pixels, whatever its name, and is anything else refused with one clear reason?"""

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from cloud_bridge.support import photo
from cloud_bridge.support.photo import BadPhoto, kind_of, packed, remake, unpacked
from tests.cloud_bridge.running import SAMPLES

HEIC = (SAMPLES / "photos" / "phone.heic").read_bytes()  # 240 x 180, to be rotated, with position and phone
POSITION, PHONE, ORIENTATION = 0x8825, 0x0110, 0x0112  # EXIF tags


def picture(kind: str = "JPEG", size: tuple[int, int] = (240, 180), mode: str = "RGB", **how: Any) -> bytes:
    """Return a picture whose left half is blue and right half red."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, 0, size[0] // 2, size[1]))
    out = BytesIO()
    image.convert(mode).save(out, kind, **how)
    return out.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[PHONE] = "A phone of the installer"
    exif[ORIENTATION] = 6  # the phone was held upright
    exif.get_ifd(POSITION).update({1: "N", 2: (53.0, 28.0, 46.0), 3: "W", 4: (2.0, 14.0, 43.0)})
    return picture(exif=exif, comment=b"of the installer")


def bomb(side: int) -> bytes:
    """Return a PNG of some hundred bytes that claims to have this many pixels on each side."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    content = chunk(b"IDAT", zlib.compress(b"\0" * 100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + content + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        picture(),
        picture(progressive=True),
        picture(mode="CMYK"),
        picture(mode="L"),
        picture("PNG"),
        picture("PNG", mode="RGBA"),
        picture("PNG", mode="P"),
        picture("WEBP"),
        HEIC,
        picture("JPEG", (3000, 2000)),
    ],
    ids=["jpeg", "progressive", "cmyk", "grey", "png", "alpha", "palette", "webp", "heic", "large"],
)
def test_what_phones_take_becomes_two_jpegs(content: bytes) -> None:
    made = remake(content)
    for kept, side, most in zip(made, (320, 1600), (photo.MAX_THUMBNAIL_BYTES, photo.MAX_PICTURE_BYTES), strict=True):
        assert kind_of(kept) == "JPEG" and len(kept) <= most
        with Image.open(BytesIO(kept)) as image:
            assert image.mode == "RGB" and max(image.size) <= side
    assert unpacked(packed(made)) == made


def test_it_is_upright_and_has_nothing_of_where_and_when_it_was_taken() -> None:
    content = with_exif()
    assert b"of the installer" in content
    for kept in (*remake(content), *remake(HEIC)):
        with Image.open(BytesIO(kept)) as image:
            assert image.size == (180, 240)
            assert not image.getexif() and not image.getexif().get_ifd(POSITION)
            assert "comment" not in image.info and "icc_profile" not in image.info
        assert b"Exif" not in kept and b"of the installer" not in kept


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", photo.NO_PHOTO),
        (b"This is a text that is called photo.jpg", photo.NO_PHOTO),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", photo.NO_PHOTO),
        (b"%PDF-1.7", photo.NO_PHOTO),
        (b"GIF89a" + b"\0" * 99, photo.NO_PHOTO),
        (picture("TIFF"), photo.NO_PHOTO),
        (picture(size=(1, 1)), photo.TOO_SMALL),
        (picture("PNG", (63, 600)), photo.TOO_SMALL),
        (bomb(20_000), photo.TOO_MANY_PIXELS),
        (bomb(1_000), photo.DAMAGED),  # it has fewer than it claims
        (picture()[:-200], photo.DAMAGED),
        (picture("PNG")[: len(picture("PNG")) // 2], photo.DAMAGED),
        (picture("WEBP")[:-60], photo.DAMAGED),
        (HEIC[:-60], photo.DAMAGED),
        (b"\xff\xd8\xff" + b"\0" * 500, photo.DAMAGED),
        (b"RIFF\0\0\0\0WEBP", photo.DAMAGED),
        (b"\0\0\0\x18ftypheic" + b"\xff" * 300, photo.DAMAGED),
    ],
)
def test_anything_else_has_one_reason(content: bytes, problem: str) -> None:
    with pytest.raises(BadPhoto) as error:
        remake(content)
    assert error.value.problem == problem


def test_bytes_that_flipped_on_the_way_give_a_photo_or_a_reason() -> None:
    for whole in (picture(), picture("PNG"), picture("WEBP"), HEIC):
        for at in range(0, len(whole), max(1, len(whole) // 25)):
            bent = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
            try:
                assert kind_of(remake(bent).picture) == "JPEG"
            except BadPhoto as error:
                assert error.problem in photo.PROBLEMS
