"""Does a unit charge with any content of its flash, at 6 A until it is commissioned, and report that it formatted the
flash?"""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hil_tests.rig.commissioning import COMMISSION
from hil_tests.start.stub_unit import WITHIN_MS, Run, run

CHIP_BYTES = 256 * 4096  # firmware/boards/flash_image.py
PROVISION = 'provision {"id": "CP1", "broker": "b"}\n'


def noise(seed: int) -> bytes:
    return random.Random(seed).randbytes(CHIP_BYTES)


FRESH: dict[str, Callable[[], bytes | None]] = {
    "no chip image": lambda: None,
    "erased": lambda: b"\xff" * CHIP_BYTES,
    "zeros": lambda: bytes(CHIP_BYTES),
    "noise 1": lambda: noise(1),
    "noise 2": lambda: noise(2),
    "noise 3": lambda: noise(3),
}


@pytest.fixture(scope="module")
def commissioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the flash of a unit that was commissioned for 32 A and has charged."""
    folder = tmp_path_factory.mktemp("commissioned")
    unit = run(folder, image=folder / "flash.bin", typed=f"{PROVISION}{COMMISSION}\nstatus\n")
    assert "ok" in unit.console, unit.output
    return folder / "flash.bin"


def charges(unit: Run) -> None:
    assert unit.charged_ms is not None and unit.charged_ms <= WITHIN_MS, unit.output


@pytest.mark.parametrize("what", FRESH)
def test_a_flash_that_holds_no_file_system_is_formatted_and_the_car_charged_at_6_a(what: str, tmp_path: Path) -> None:
    image = tmp_path / "flash.bin"
    if (content := FRESH[what]()) is not None:
        image.write_bytes(content)
    unit = run(tmp_path, image=image, typed="status\nlog\n")
    charges(unit)
    assert "amps 6" in unit.console and [line for line in unit.console if "formatted=True" in line], unit.output


def test_what_is_commissioned_stays_so(commissioned: Path, tmp_path: Path) -> None:
    image = Path(shutil.copy(commissioned, tmp_path / "flash.bin"))
    unit = run(tmp_path, image=image, typed="status\nlog\n")
    charges(unit)
    assert "amps 32" in unit.console and not [line for line in unit.console if "formatted" in line], unit.output


@pytest.mark.parametrize("seed", range(12))
def test_a_file_system_with_damage_does_not_keep_the_unit_from_charging(
    seed: int, commissioned: Path, tmp_path: Path
) -> None:
    """Some of the first 32 blocks, which hold everything, contain noise."""
    image, drawn = Path(shutil.copy(commissioned, tmp_path / "flash.bin")), random.Random(seed)
    with image.open("r+b") as chip:
        for _ in range(drawn.randint(1, 6)):
            chip.seek(drawn.randrange(32) * 4096 + drawn.randrange(4096 - 256))
            chip.write(drawn.randbytes(256))
    unit = run(tmp_path, image=image, typed="status\n")
    charges(unit)
    assert "amps 6" in unit.console or "amps 32" in unit.console, f"seed {seed}: {unit.output}"
