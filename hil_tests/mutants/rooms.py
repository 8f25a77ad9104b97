"""Which rooms are sampled, which tests are theirs, and which of those are asked about a mistake, in which order. Pure."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from hil_tests.mutants.argued import Argued, reason
from hil_tests.mutants.operators import Mutant

# Whose tests have to notice a mistake: what the paths begin with, of the room and of its tests.
ROOMS = {
    "firmware/charging": "tests/firmware/charging",
    "firmware/link": "tests/firmware/link",
    "firmware/storage": "tests/firmware/storage",
    "modem": "tests/modem",
    "cloud_bridge/contact.py": "tests/cloud_bridge/test_contact",
    "cloud_bridge/ingest": "tests/cloud_bridge/ingest",
}
LEFT_OUT = (
    "modem/installer/",  # hil_tests/modem: real serial lines and terminals
    "modem/ports/",  # likewise
    "cloud_bridge/ingest/jetstream.py",  # hil_tests/ingest/test_jetstream.py: real nodes
)
OTHERS_MAX_S = (
    20.0  # of the processor's time, for the tests that are not the module's own; the long ones stay out first
)


@dataclass(frozen=True)
class Item:
    """What a test was seen to do: seconds of the processor's time, and functions as "path Class.function"."""

    seconds: float
    functions: frozenset[str]


def room_of(path: str) -> str | None:
    """None if it is not sampled."""
    if path.startswith(LEFT_OUT):
        return None
    return next((room for room in ROOMS if path.startswith(room)), None)


def draw(made: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """The same ones for the same seed, in no order of places: of a run that is ended early the first are a fair sample."""
    return random.Random(seed).sample(made, min(count, len(made)))


def report(sample: list[Mutant], left: list[Mutant], reasons: Iterable[Argued]) -> list[str]:
    """By room, how many were noticed; and how many of the others are argued (argued.py) and how many are not."""
    drawn = Counter(room_of(mutant.path) for mutant in sample)
    survived = Counter(room_of(mutant.path) for mutant in left)
    with_reason = Counter(room_of(mutant.path) for mutant in left if reason(mutant, reasons))
    rows = [(str(room), drawn[room], survived[room], with_reason[room]) for room in ROOMS if drawn[room]]
    rows.append(("all", len(sample), len(left), with_reason.total()))
    return [
        f"  {room:24} {of - lived:4} of {of:4} killed  {(of - lived) / of:6.1%}  {has:3} argued {lived - has:3} survive"
        for room, of, lived, has in rows
    ]


def runs_for(path: str, function: str, items: Mapping[str, Item]) -> list[list[str]]:
    """The items that come by this function, as one or two runs: of the tests that mirror the file, then of others."""
    near = [item for item, seen in items.items() if f"{path} {function}" in seen.functions]
    own = [item for item in near if is_mirror(item, path)]
    others: list[str] = []
    left_s = OTHERS_MAX_S
    for item in sorted(set(near) - set(own), key=lambda item: (items[item].seconds, item)):
        left_s -= items[item].seconds
        if left_s >= 0:
            others.append(item)
    return [run for run in (own, others) if run]


def is_mirror(item: str, path: str) -> bool:
    """Whether a test is of a file that mirrors the module: firmware/link/mqtt.py, tests/firmware/link/test_mqtt_words.py."""
    tested = PurePath("tests") / path
    return item.startswith(str(tested.with_name(f"test_{tested.stem}")))
