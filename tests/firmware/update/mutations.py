"""Randomly damaged updates: `python -m tests.firmware.update.mutations COUNT SEED` searches for one that is installed or
raises.

Each input is a genuine release or command with one fault: bits, lengths, the order of pieces, the key, the board, the version,
or a mistake of its maker; or two releases at once. Only the genuine product may ever be in the active slot, no error may be
raised, and the exchange with the control loop may not be written to. A failure prints kind and seed, which reproduce it.
"""

import argparse
import base64
import hashlib
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.progress import track

from firmware.boards.stock import starter
from firmware.errors import CommandRefused
from firmware.link import commands
from firmware.update import ordering, slots
from tests.firmware.storage.folder import empty
from tests.firmware.update.scene import Cloud, Exchange, FakeUnit, go_on, trust
from tests.firmware.update.signing import FILES, Maker, compressed, digests, order_of, stream

FOLDER = "tests-update-mutations"
TURN_MS = 5000
HOURS = 6
VERSION = "100.4.0"
MAKER, STRANGER = Maker(), Maker()
TRUE_FILES = {**FILES, "firmware/noise.mpy": random.Random(1).randbytes(5000)}
MANIFEST, IMAGE = MAKER.release(VERSION, TRUE_FILES)
SAID = json.loads(MANIFEST.split(b"\n")[0])
LATER_MANIFEST, LATER_IMAGE = MAKER.release("100.5.0", {**FILES, "firmware/later.mpy": b"later"})

Release = tuple[bytes, bytes]


class FixedExchange(Exchange):  # type: ignore[misc]  # core tests have no types
    """An exchange that raises if anything writes to it."""

    fixed = False

    def __setattr__(self, name: str, value: object) -> None:
        if self.fixed:
            raise AssertionError(f"the exchange was written to: {name}")
        object.__setattr__(self, name, value)


def bent(content: bytes, draw: random.Random) -> bytes:
    """Make one to four changes, so that the result differs from the input."""
    changed = bytearray(content)
    while bytes(changed) == content:
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(changed) + 1)
            if draw.random() < 0.6:
                at = min(at, len(changed) - 1)
                changed[at] ^= 1 << draw.randrange(8)
            elif draw.random() < 0.4:
                del changed[at:]
            elif draw.random() < 0.5:
                changed[at:at] = draw.randbytes(draw.randint(1, 1200))
            else:
                del changed[at : at + draw.randint(1, 1200)]
            changed = changed or bytearray(b"x")
    return bytes(changed)


def bent_image(draw: random.Random) -> Release:
    return MANIFEST, bent(IMAGE, draw)


def bent_manifest(draw: random.Random) -> Release:
    line, rest = MANIFEST.split(b"\n", 1)
    if draw.random() < 0.3:
        return line + b"\n" + bent(rest.rstrip(b"\n"), draw), IMAGE
    return bent(line, draw).replace(b"\n", b" ") + b"\n" + rest, IMAGE


def another_key(draw: random.Random) -> Release:
    return STRANGER.manifest(draw.randint(0, 1), **{**SAID, "notes": str(draw.random())}), IMAGE


def other_number_of_key(draw: random.Random) -> Release:
    return MANIFEST.replace(b"\n0 ", draw.choice([b"\n1 ", b"\n2 ", b"\n-1 ", b"\n00 "])), IMAGE


def another_signature(draw: random.Random) -> Release:
    """Return the manifest with the right key's signature of another manifest."""
    return MANIFEST.split(b"\n")[0] + b"\n" + LATER_MANIFEST.split(b"\n", 1)[1], IMAGE


def wrong_for_this_unit(draw: random.Random) -> Release:
    """Return a release signed by the right key, but with a wrong manifest."""
    changed: list[dict[str, object]] = [
        {"boards": draw.choice([["tcall"], ["virtual2"], ["Virtual"], [""], []])},
        {"version": draw.choice(["0.1.0", "0.0.9", "0.0.0", "100.4", "100.4.1"])},
        {"least": draw.choice(["0.1.1", "99.0.0", "x"])},
        {"size": draw.choice([len(IMAGE) - 1, len(IMAGE) + 1, 0, 1 << 30])},
        {"unpacked": SAID["unpacked"] + draw.choice([-SAID["unpacked"], -1, 1, 1 << 30])},
        {"sha256": draw.randbytes(32).hex()},
        {"unpacked_sha256": draw.randbytes(32).hex()},
        {"pieces": base64.b64encode(bent(digests(IMAGE), draw)).decode()},
    ]
    return MAKER.manifest(**{**SAID, **draw.choice(changed)}), IMAGE


def makers_mistake(draw: random.Random) -> Release:
    """Return a release with an invalid stream or invalid names, signed and with correct digests."""
    kind = draw.randrange(4)
    if kind == 0:
        unpacked = stream(TRUE_FILES)[: -draw.randint(1, 20)]  # in the header of the last file
    elif kind == 1:
        name = draw.choice(["/firmware/x.mpy", "../x.mpy", "a\0.mpy", "x y.mpy", "x.py", "x" * 80 + ".mpy", ".mpy\n"])
        unpacked = stream({**TRUE_FILES, name: b"x"})
    elif kind == 2:
        unpacked = stream({name: content for name, content in TRUE_FILES.items() if name != "firmware/main.mpy"})
    else:
        unpacked = stream(TRUE_FILES) + stream(dict([draw.choice(list(TRUE_FILES.items()))]))
    manifest, image = MAKER.release_of(unpacked, VERSION)
    if draw.random() < 0.3:  # correct digests of a stream that does not decompress
        image = bent(compressed(unpacked), draw)
        said = json.loads(manifest.split(b"\n")[0])
        said.update({"size": len(image), "sha256": hashlib.sha256(image).hexdigest()})
        manifest = MAKER.manifest(**{**said, "pieces": base64.b64encode(digests(image)).decode()})
    return manifest, image


def bent_pieces(draw: random.Random) -> Callable[[int, bytes], list[bytes]]:
    """Return a function that damages messages as a bad network or cloud does. Only the genuine release may be installed."""
    late: list[bytes] = []

    def bend(number: int, message: bytes) -> list[bytes]:
        kind = draw.random()
        if kind < 0.1:
            return []
        if kind < 0.2:
            late.append(message)
            return []
        if kind < 0.3:
            return [bent(message, draw)]
        if kind < 0.4:
            return [message, message]
        if kind < 0.5 and late:
            return [late.pop(draw.randrange(len(late))), message]
        if kind < 0.6:
            return [message[:12] + draw.randbytes(draw.randint(0, 1100)), message]
        return [message]

    return bend


class TwoClouds:
    """Two roll-outs at once: the pieces of both arrive, whatever was requested."""

    def __init__(self, first: Cloud, second: Cloud, draw: random.Random) -> None:
        self._clouds, self._draw = (first, second), draw

    def answer(self, question: bytes) -> list[bytes]:
        messages = [list(cloud.answer(question)) for cloud in self._clouds]
        mixed = messages[0] + messages[1]
        if self._draw.random() < 0.5:
            self._draw.shuffle(mixed)
        return mixed


def unit(folder: str) -> Any:
    trust(MAKER.public)
    made = FakeUnit(empty(folder))
    made.exchange = FixedExchange()
    made.exchange.fixed = True
    starter.started = starter.BUILT_IN
    sys.modules["starter"] = starter
    return made


def ordered(made: Any, order: dict[str, object]) -> None:
    """Give the command as firmware/commands.py does."""
    try:
        ordering.order(made, order)
    except CommandRefused:
        pass


def bent_order(draw: random.Random) -> bytes:
    order = {"id": "c-1", "do": "update", **order_of(MANIFEST, VERSION)}
    anything = (
        None,
        True,
        -1,
        0,
        1 << 40,
        1.5,
        "",
        "0.1.0",
        "x" * 300,
        [],
        {},
        "\u0661.0.0",
        "../../x",
        "0" * 16,
        "100.4.0",
    )
    for _ in range(draw.randint(1, 3)):
        order[draw.choice(["v", "h", "m", "r"])] = draw.choice(anything)
    text = json.dumps(order).encode()
    return bent(text, draw) if draw.random() < 0.3 else text


RELEASES = (
    bent_image,
    bent_manifest,
    another_key,
    other_number_of_key,
    another_signature,
    wrong_for_this_unit,
    makers_mistake,
)
KINDS = (*(made.__name__ for made in RELEASES), "pieces", "two", "order", "replay")


def run(kind: str, seed: int, folder: str = FOLDER) -> str:
    """Return the outcome: the reason of the refusal, "nothing", or "true". Raises AssertionError if another product is
    installed."""
    draw, made = random.Random(seed), unit(folder)
    version = VERSION
    cloud: Any = Cloud(MANIFEST, IMAGE, hashlib.sha256(MANIFEST).digest()[:8])
    order = order_of(MANIFEST, VERSION, draw.random() < 0.5)
    if kind == "pieces":
        cloud = Cloud(MANIFEST, IMAGE, hashlib.sha256(MANIFEST).digest()[:8], bent_pieces(draw))
    elif kind == "two":
        cloud = TwoClouds(cloud, Cloud(LATER_MANIFEST, LATER_IMAGE, hashlib.sha256(LATER_MANIFEST).digest()[:8]), draw)
    elif kind == "replay":  # a genuine manifest of the running release, or of an older one
        version = draw.choice(["0.1.0", "0.0.9", VERSION])
        old = MAKER.release(draw.choice(["0.1.0", "0.0.9"]), TRUE_FILES)
        cloud, order = Cloud(*old, hashlib.sha256(old[0]).digest()[:8]), order_of(old[0], version)
    elif kind == "order":
        try:
            command = commands.read(bent_order(draw), None, [])
        except commands.Refused:
            return "nothing"
        order = command.arguments
        if command.do != "update":
            return "nothing"
    else:
        manifest, image = next(made_by for made_by in RELEASES if made_by.__name__ == kind)(draw)
        cloud, order = Cloud(manifest, image, hashlib.sha256(manifest).digest()[:8]), order_of(manifest, VERSION)
        order["m"] = min(int(str(order["m"])), 8192)
    ordered(made, order)
    restarts = made.updates is not None and go_on(made, cloud, HOURS, TURN_MS)
    chosen = starter.choose(made.flash(), "soft")
    if not restarts:
        assert chosen == starter.BUILT_IN and slots.load(made.flash())["active"] == starter.BUILT_IN, "installed"
        refusals = [f"refused: {why}" for _, result, why in made.told if result == "refused"]
        assert len(refusals) <= 1, refusals
        return refusals[0] if refusals else "nothing"
    product = Path(made.flash(), chosen, "product").read_bytes()
    assert kind in ("pieces", "two", "order") and product == stream(TRUE_FILES), f"{chosen} runs {product[:100]!r}"
    return "true"


def main() -> int:
    """Run the command line. Exit code 1 if an update was installed or raised."""
    parser = argparse.ArgumentParser(prog="python -m tests.firmware.update.mutations", description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    wanted = parser.parse_args()
    found: Counter[str] = Counter()
    failed = 0
    for number in track(range(wanted.count), "updates", disable=not sys.stderr.isatty()):
        kind, seed = KINDS[number % len(KINDS)], wanted.seed + number
        try:
            found[f"{kind}: {run(kind, seed, FOLDER + '-all')}"] += 1
        except Exception as error:  # any error is a failure
            failed += 1
            print(f"{kind}, seed {seed}: {error!r}")
    for what, count in sorted(found.items()):
        print(f"{count:7,}  {what}")
    print(f"{wanted.count:7,}  in all, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
