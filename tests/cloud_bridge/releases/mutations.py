"""Randomly damaged releases and requests (bent_asks.py). None may be accepted or raise anything but its own error.

`python -m tests.cloud_bridge.releases.mutations COUNT SEED`. Each release has one fault: in image, manifest, signature or key,
or a mistake of its maker. `release add` must refuse it. A failure prints kind and seed, which reproduce it.
"""

import argparse
import asyncio
import base64
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from cloud_bridge.releases.image import compress
from cloud_bridge.releases.manifest import check_image, read_signed, write_signed
from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.signature import sign, verify
from tests.cloud_bridge.releases.bent_asks import ANYTHING, MADE, Asking, bent
from tests.cloud_bridge.releases.making import KEY, release

LATER = release("1.5.0", filling=random.Random(2).randbytes(900))
LINE, SIGNATURE = MADE.whole.split(b"\n")[0], read_signed(MADE.whole).signature
STRANGER = ec.generate_private_key(ec.SECP256R1())
KEYS = [KEY.public_key(), None]


def image(draw: random.Random) -> tuple[bytes, bytes]:
    return MADE.whole, bent(MADE.image, draw)


def image_of_another(draw: random.Random) -> tuple[bytes, bytes]:
    """Return the image of another release, or a decompression bomb."""
    return MADE.whole, draw.choice((LATER.image, compress(bytes(1 << 20)), b""))


def manifest(draw: random.Random) -> tuple[bytes, bytes]:
    return bent(MADE.whole, draw), MADE.image


def last_letter(draw: random.Random) -> tuple[bytes, bytes]:
    """Change the last Base64 letter before the padding, whose lowest bits are ignored."""
    at = MADE.whole.rindex(b"==") - 1
    return MADE.whole[:at] + bytes((MADE.whole[at] + draw.randint(1, 3),)) + MADE.whole[at + 1 :], MADE.image


def key(draw: random.Random) -> tuple[bytes, bytes]:
    return write_signed(LINE, draw.randint(0, 1), sign(STRANGER, LINE)), MADE.image


def number_of_key(_draw: random.Random) -> tuple[bytes, bytes]:
    return write_signed(LINE, 1, SIGNATURE), MADE.image


def signature(draw: random.Random) -> tuple[bytes, bytes]:
    r, s = SIGNATURE[:32], SIGNATURE[32:]
    made = (s + r, bytes(32) + s, r + bytes(32), bytes(64), b"\xff" * 64, sign(KEY, LINE + b" "), bent(SIGNATURE, draw))
    return write_signed(LINE, 0, draw.choice(made)), MADE.image


def makers_mistake(draw: random.Random) -> tuple[bytes, bytes]:
    """A release signed by the right key, with a wrong manifest."""
    said = json.loads(LINE)
    name = draw.choice(sorted(said))
    if draw.random() < 0.2:
        del said[name]
    else:
        wrong = [one for one in ANYTHING if one != said[name]]
        said[name if draw.random() < 0.9 else "more"] = draw.choice(wrong)
    line = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return line + b"\n0 " + base64.b64encode(sign(KEY, line)) + b"\n", MADE.image


RELEASES = (image, image_of_another, manifest, last_letter, key, number_of_key, signature, makers_mistake)


def refused(made: Callable[[random.Random], tuple[bytes, bytes]], seed: int) -> str:
    """Return the reason of the refusal. Raises AssertionError if `release add` would accept it."""
    whole, content = made(random.Random(seed))
    try:
        signed = read_signed(whole)
        verify(KEYS, signed.key, signed.line, signed.signature)
        check_image(signed.manifest, content)
    except ReleaseError as error:
        return type(error).__name__
    true = MADE.manifest
    theirs = signed.manifest._replace(version=true.version, least=true.least, boards=true.boards, notes=true.notes)
    assert made is makers_mistake and theirs == true, "accepted"
    return "what its own maker may say"


def main() -> int:
    """Run the command line. Exit code 1 if a release was accepted, or anything else was raised."""
    parser = argparse.ArgumentParser(prog="python -m tests.cloud_bridge.releases.mutations", description=__doc__)
    parser.add_argument("count", type=int, help="number of releases, and of requests")
    parser.add_argument("seed", type=int, nargs="?", default=0)
    wanted = parser.parse_args()
    found: Counter[str] = Counter()
    failed = 0
    for number in range(wanted.count):
        made, seed = RELEASES[number % len(RELEASES)], wanted.seed + number
        try:
            found[f"{made.__name__}: {refused(made, seed)}"] += 1
        except Exception as error:  # any error is a failure
            failed += 1
            print(f"{made.__name__}, seed {seed}: {error!r}")
    with tempfile.TemporaryDirectory() as folder:
        asking = Asking(Path(folder))
        for number in range(wanted.count):
            try:
                found[f"ask: {asyncio.run(asking.ask(wanted.seed + number))}"] += 1
            except Exception as error:
                failed += 1
                print(f"ask, seed {wanted.seed + number}: {error!r}")
        asking.close()
    for what, count in sorted(found.items()):
        print(f"{count:7,}  {what}")
    print(f"{2 * wanted.count:7,}  in all, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
