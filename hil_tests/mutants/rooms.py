"""The sampled rooms, their tests, and which tests run for a mutant, in which order. Pure."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from hil_tests.mutants.argued import Argued, reason
from hil_tests.mutants.operators import Mutant

# The beginning of the room's paths, and of the paths of its tests.
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
    "modem/ports/",  # hil_tests/modem: real serial lines
    "cloud_bridge/ingest/jetstream.py",  # hil_tests/ingest/test_jetstream.py: real nodes
)
# Processor time for the tests of a mutant that do not mirror its module, the short ones first.
OTHERS_MAX_S = 20.0


@dataclass(frozen=True)
class Item:
    """The measurements of one test: processor time in seconds, and called functions as "path Class.function"."""

    seconds: float
    functions: frozenset[str]


def room_of(path: str) -> str | None:
    """Return the room of a path, or None if the file is not sampled."""
    if path.startswith(LEFT_OUT):
        return None
    return next((room for room in ROOMS if path.startswith(room)), None)


def draw(made: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """Draw a sample: the same for the same seed. Its order is random, so the beginning of a run is itself a sample."""
    return random.Random(seed).sample(made, min(count, len(made)))


def report(sample: list[Mutant], left: list[Mutant], reasons: Iterable[Argued]) -> list[str]:
    """Return a line for each room: how many mutants were killed, how many survivors are argued, how many are not."""
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
    """Return the tests that call this function, in one or two runs: those that mirror the file, then the others."""
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
    """Return whether the test's file mirrors the module, as tests/firmware/link/test_mqtt_words.py mirrors
    firmware/link/mqtt.py."""
    tested = PurePath("tests") / path
    return item.startswith(str(tested.with_name(f"test_{tested.stem}")))
