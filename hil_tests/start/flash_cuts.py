"""`python -m hil_tests.start.flash_cuts`: cut the power at each of the first 200 flash writes after formatting.

A unit starts on a chip that is filled with noise, formats it, is commissioned and works. Every change of its chip is
recorded. Each prefix of the record is what a cut leaves, whole or with its last change half done, and a unit is started
on it. It must charge. After the first mount, the file system must never be lost, and what was commissioned must stay.
Exits with 1 if one of these does not hold; `--cut N` tests a single cut.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from hil_tests.fixtures.progress import bar
from hil_tests.rig.commissioning import COMMISSION
from hil_tests.start.stub_unit import WITHIN_MS, Run, run

RECORDER = Path(__file__).with_name("recorder_on_micropython.py")
BLOCK_BYTES, BLOCKS = 4096, 256  # firmware/boards/flash_image.py
ERASED = b"\xff" * BLOCK_BYTES
WRITES = 200  # after formatting; the promise
PROVISION = 'provision {"id": "CP1", "broker": "b"}\n'
WRITING = "".join(f'provision {{"random_delay_max_s": {number}}}\noverride off\n' for number in range(90))
TYPED = f"{PROVISION}{COMMISSION}\n{WRITING}"
FACTORY_A, COMMISSIONED_A = "amps 6", "amps 32"
AT_ONCE = 2
WHOLE, TORN = "whole", "torn"


class Change(NamedTuple):
    """The erasure (`offset` is None) or the programming of a block."""

    block: int
    offset: int | None
    data: bytes


class Record(NamedTuple):
    """The chip's first content, and its changes. `mounted`: the number of changes before it was mounted."""

    chip: bytes
    changes: list[Change]
    mounted: int

    def last(self) -> int:
        """Return the number of the last change at which to cut. Raises ValueError if too little was recorded."""
        programmings = 0
        for number, change in enumerate(self.changes, 1):
            programmings += number > self.mounted and change.offset is not None
            if programmings == WRITES:
                return number
        raise ValueError(f"{programmings} writes were recorded after formatting, {WRITES} are wanted")


class Cut(NamedTuple):
    """What a unit did that was started after a cut."""

    number: int  # changes that had begun
    how: str
    unit: Run

    @property
    def charged(self) -> bool:
        return self.unit.charged_ms is not None and self.unit.charged_ms <= WITHIN_MS

    @property
    def formatted(self) -> bool:
        return any("formatted=True" in line for line in self.unit.console)

    @property
    def commissioned(self) -> bool:
        return COMMISSIONED_A in self.unit.console


def record(folder: Path, seed: int) -> Record:
    """Run a unit on a chip with noise, and return what it wrote. Raises ValueError if the unit did not mount its chip."""
    chip, log = random.Random(seed).randbytes(BLOCKS * BLOCK_BYTES), folder / "log"
    (folder / "flash.bin").write_bytes(chip)
    unit = run(folder, typed=TYPED, image=folder / "flash.bin", script=RECORDER, more=(log,))
    changes: list[Change] = []
    mounted = None
    for line in log.read_text().splitlines():
        kind, *words = line.split()
        if kind == "m":
            mounted = len(changes)
        elif kind == "e":
            changes.append(Change(int(words[0]), None, ERASED))
        else:
            changes.append(Change(int(words[0]), int(words[1]), bytes.fromhex(words[2])))
    if mounted is None:
        raise ValueError(f"the recorded unit mounted nothing: {unit.output}")
    return Record(chip, changes, mounted)


def apply(chip: bytearray, change: Change, torn: bool) -> None:
    """Apply a change, or its first half. Programming only clears bits, as on NOR flash; an erasure sets them."""
    data = change.data[: len(change.data) // 2] if torn else change.data
    start = change.block * BLOCK_BYTES + (change.offset or 0)
    if change.offset is not None:
        data = bytes(new & old for new, old in zip(data, chip[start : start + len(data)], strict=True))
    chip[start : start + len(data)] = data


def chips(recorded: Record, numbers: Iterable[int]) -> Iterator[tuple[int, str, bytes]]:
    """Yield what a cut at each of these changes leaves on the chip: (number, whole or torn, content)."""
    chip, done = bytearray(recorded.chip), 0
    for number in sorted(numbers):
        for change in recorded.changes[done : number - 1]:
            apply(chip, change, torn=False)
        torn = bytearray(chip)
        apply(torn, recorded.changes[number - 1], torn=True)
        yield number, TORN, bytes(torn)
        apply(chip, recorded.changes[number - 1], torn=False)
        yield number, WHOLE, bytes(chip)
        done = number


class Cuts:
    """Start a unit after each cut, some in parallel. `done` counts them."""

    def __init__(self, folder: Path, recorded: Record) -> None:
        self._folder, self._recorded = folder, recorded
        self._lock = Lock()
        self.done = 0

    def start_after(self, numbers: Iterable[int]) -> list[Cut]:
        """Return what each unit did, in order of the cuts."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(lambda left: self._start(*left), chips(self._recorded, numbers)))

    def _start(self, number: int, how: str, chip: bytes) -> Cut:
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            folder = Path(name)
            (folder / "flash.bin").write_bytes(chip)
            unit = run(folder, typed="status\nlog\n", image=folder / "flash.bin")
        with self._lock:
            self.done += 1
        return Cut(number, how, unit)


def complaints(cuts: list[Cut], mounted: int) -> list[str]:
    """Return what is wrong. `cuts` are those of one record, in order."""
    found, was_commissioned = [], False
    for cut in cuts:
        where = f"cut {cut.number}, {cut.how}: "
        if not cut.charged:
            found.append(f"{where}not charged within {WITHIN_MS} ms: {cut.unit.output[-500:]}")
        elif cut.formatted and cut.number > mounted:
            found.append(where + "the file system was lost")
        elif was_commissioned and not cut.commissioned:
            found.append(where + "what was commissioned is lost")
        elif not cut.commissioned and FACTORY_A not in cut.unit.console:
            found.append(f"{where}neither {FACTORY_A} nor {COMMISSIONED_A}")
        was_commissioned = was_commissioned or cut.commissioned
    return found


def report(cuts: list[Cut], recorded: Record) -> list[str]:
    """Return the lines to print."""
    charged = sorted(cut.unit.charged_ms for cut in cuts if cut.unit.charged_ms is not None)
    kinds = Counter(("erase" if recorded.changes[cut.number - 1].offset is None else "write", cut.how) for cut in cuts)
    lines = [
        f"power cut at each of the first {recorded.last()} changes of a noisy flash chip, {WRITES} writes after formatting: "
        f"{len(cuts)} starts",
        "  " + ", ".join(f"{what} {how} {count}" for (what, how), count in sorted(kinds.items())),
        f"  formatted anew after {sum(cut.formatted for cut in cuts)}, as commissioned after "
        f"{sum(cut.commissioned for cut in cuts)}",
    ]
    if charged:
        lines.append(
            f"  start to charging: p50 {charged[len(charged) // 2]}  worst {charged[-1]} ms, limit {WITHIN_MS} ms"
        )
    return lines


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.start.flash_cuts", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the noise on the chip")
    parser.add_argument("--cut", type=int, help="cut only at this change")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recorded = record(folder, wanted.seed)
        numbers = [wanted.cut] if wanted.cut else range(1, recorded.last() + 1)
        starts = Cuts(folder, recorded)
        with bar("flash cuts", 2 * len(numbers), lambda: starts.done):
            cuts = starts.start_after(numbers)
    wrong = complaints(cuts, recorded.mounted)
    print(f"seed {wanted.seed}", *report(cuts, recorded), f"  wrong: {len(wrong)}", sep="\n")
    print(*(f"    {what}" for what in wrong[:10]), sep="\n", end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
