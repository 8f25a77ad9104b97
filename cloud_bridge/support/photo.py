"""Converts an uploaded photo into the one that is stored: a newly encoded JPEG and its thumbnail.

The format is detected from the content, whatever the file is called. The photo is decoded to pixels, scaled and encoded anew,
so nothing of the file itself is stored: neither the place and time of the photo nor the model of the phone (EXIF).

The module is also a program, `python -I photo.py < uploaded > kept`, which photo_process.py runs. Decoders are large C
programs that read hostile input, so they have a separate process with limited memory and time. The module therefore imports
nothing of ours.
"""

import resource
import sys
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

MAX_UPLOAD_BYTES = 10_000_000
MAX_PIXELS = 64_000_000  # the largest photos of phones have 50 million; decoded, this is 256 MB
MIN_SIDE = 64  # pixels
PICTURE_SIDE, THUMBNAIL_SIDE = 1600, 320  # longest side in pixels
MAX_PICTURE_BYTES, MAX_THUMBNAIL_BYTES = 600_000, 40_000
QUALITIES = (80, 65, 50, 35, 20)  # JPEG qualities: the first one that gives a small enough file is used
MEMORY_BYTES = 1_500_000_000  # of address space, including the libraries
PROCESSOR_S = 20
REFUSED = 3  # exit status of the program for a refused photo, with the problem on standard output
LENGTH_BYTES = 4  # big-endian length of the thumbnail, in front of it

NO_PHOTO = "no_photo"
TOO_SMALL = "too_small"
TOO_MANY_PIXELS = "too_many_pixels"
DAMAGED = "damaged"
PROBLEMS = (NO_PHOTO, TOO_SMALL, TOO_MANY_PIXELS, DAMAGED)

HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")  # ISO/IEC 23008-12, annex B


class BadPhoto(ValueError):
    """The photo is refused. `problem` is one of PROBLEMS."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Photo(NamedTuple):
    """The two JPEGs."""

    thumbnail: bytes
    picture: bytes


def kind_of(content: bytes) -> str | None:
    """Return Pillow's name of the format, or None for a format that is not accepted."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    if content[4:8] == b"ftyp" and content[8:12] in HEIF_BRANDS:
        return "HEIF"
    return None


def remake(content: bytes) -> Photo:
    """Convert a photo. Raises BadPhoto. The largest photos take seconds and hundreds of megabytes."""
    from PIL import Image, ImageOps  # 20 MB, needed only here

    kind = kind_of(content)
    if kind is None:
        raise BadPhoto(NO_PHOTO)
    if kind == "HEIF":
        from pi_heif import register_heif_opener

        register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is checked here, before decoding
    try:
        with Image.open(BytesIO(content), formats=[kind]) as image:
            if min(image.size) < MIN_SIDE:
                raise BadPhoto(TOO_SMALL)
            if image.width * image.height > MAX_PIXELS:
                raise BadPhoto(TOO_MANY_PIXELS)
            image.draft("RGB", (PICTURE_SIDE, PICTURE_SIDE))  # decodes a JPEG at half its size or less
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
            pixels = Image.new("RGB", upright.size, "white")
            with_alpha = upright.convert("RGBA")
            pixels.paste(with_alpha, mask=with_alpha)
    except BadPhoto:
        raise
    except Exception:  # decoders raise various exceptions: OSError, SyntaxError, struct.error, ...
        raise BadPhoto(DAMAGED) from None
    picture = _encoded(pixels, MAX_PICTURE_BYTES)
    pixels.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return Photo(_encoded(pixels, MAX_THUMBNAIL_BYTES), picture)


def packed(photo: Photo) -> bytes:
    """Return the output format of the program."""
    return len(photo.thumbnail).to_bytes(LENGTH_BYTES, "big") + photo.thumbnail + photo.picture


def unpacked(written: bytes) -> Photo:
    length = int.from_bytes(written[:LENGTH_BYTES], "big")
    rest = written[LENGTH_BYTES:]
    return Photo(rest[:length], rest[length:])


def _encoded(pixels: "Pixels", most_bytes: int) -> bytes:
    for quality in QUALITIES:
        out = BytesIO()
        pixels.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= most_bytes:
            break
    return out.getvalue()


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S))
    try:
        written = packed(remake(sys.stdin.buffer.read(MAX_UPLOAD_BYTES)))
    except BadPhoto as error:
        sys.stdout.write(error.problem)
        return REFUSED
    sys.stdout.buffer.write(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
