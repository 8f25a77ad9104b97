"""Does a unit charge after any power cut during a flash write? A sample of the cuts; `make power-loss` runs all of them."""

import random
from pathlib import Path

import pytest

from hil_tests.start.flash_cuts import ERASED, WHOLE, Change, Cut, Cuts, Record, apply, complaints, record
from hil_tests.start.stub_unit import Run

SAMPLE = 5
SEED = 0


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return record(tmp_path_factory.mktemp("recorded"), SEED)


def test_a_unit_charges_after_a_power_cut_at_any_flash_write(recorded: Record, tmp_path: Path) -> None:
    """One cut during the formatting, and others up to the 200th write after it."""
    drawn = random.Random(SEED)
    numbers = [
        drawn.randint(1, recorded.mounted),
        *drawn.sample(range(recorded.mounted + 1, recorded.last()), SAMPLE - 1),
    ]
    assert complaints(Cuts(tmp_path, recorded).start_after(numbers), recorded.mounted) == [], f"seed {SEED}"


def test_flash_is_erased_before_it_is_programmed(recorded: Record) -> None:
    """Otherwise the record on NOR flash would differ from the file, and the cuts would not show what a chip does."""
    chip = bytearray(recorded.chip)
    for number, change in enumerate(recorded.changes, 1):
        apply(chip, change, torn=False)
        start = change.block * len(ERASED) + (change.offset or 0)
        assert chip[start : start + len(change.data)] == change.data, f"change {number}"


def test_half_a_change_is_applied_as_nor_flash_does() -> None:
    chip = bytearray(b"\x0f" * 8 + ERASED)
    apply(chip, Change(0, 0, b"\x3c" * 8), torn=True)
    assert chip[:8] == b"\x0c" * 4 + b"\x0f" * 4


@pytest.mark.parametrize(
    ("units", "wrong"),
    [
        ([(500, ["amps 6", "event boot formatted=True"]), (500, ["amps 6"]), (500, ["amps 32"])], None),
        ([(None, [])], "not charged"),
        ([(5001, ["amps 6"])], "not charged"),
        ([(500, ["amps 6"]), (500, ["amps 6", "event boot formatted=True"])], "file system was lost"),
        ([(500, ["amps 32"]), (500, ["amps 6"])], "commissioned is lost"),
        ([(500, ["amps 10"])], "neither"),
    ],
)
def test_what_must_hold_after_a_cut_is_complained_about(
    units: list[tuple[int | None, list[str]]], wrong: str | None
) -> None:
    """The first cut is in the formatting."""
    cuts = [Cut(number, WHOLE, Run(ms, "", said, set(), "")) for number, (ms, said) in enumerate(units, 1)]
    found = complaints(cuts, mounted=1)
    assert len(found) == (wrong is not None) and (wrong is None or wrong in found[0])
