"""With any damage to a stock image's flash, does one complete version start, or none?

If none starts, are the outputs safe and the light red, and does a line say what to do? On real MicroPython, with every
combination of damaged parts. [S1-3b] [S1-3c]
"""

import binascii
import itertools
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.boards.stock import main
from tests.firmware.boards.laid_slots import lay_record, lay_slot, product, product_of, says

ROOT = Path(__file__).parents[3]
MICROPYTHON = ROOT / ".venv" / "bin" / "micropython"
STOCK = ROOT / "firmware" / "boards" / "stock"
WITHIN_S = 60
MPY = 6  # format of compiled files of this MicroPython
PARTS = ("slots", "a/product", "a/manifest", "b/product", "flashed file", "list", "starter.py", "wires.py")
FLASHED_FILE = "chargekeeper/firmware/main.py"
WIRES = "def make_safe():\n    print('safe')\n\n\ndef show_red():\n    print('red')\n"


def lay(folder: Path) -> None:
    """Write a complete flash: slot a is active, and slot b was active before."""
    for name in ("main.py", "starter.py"):
        shutil.copy(STOCK / name, folder / name)
    (folder / "wires.py").write_text(WIRES)
    for slot, version in (("a", "1.1.0"), ("b", "1.0.0")):
        lay_slot(folder / slot, version, product(slot))
    lay_record(folder, active="a", before="b")
    path = folder / FLASHED_FILE
    path.parent.mkdir(parents=True)
    path.write_text(says("flashed"))
    files = {"firmware/main.py": binascii.crc32(path.read_bytes())}
    listed = {"version": "0.1.0", "image": "any", "mpy": MPY, "heap_bytes": 0, "files": files}
    (folder / "chargekeeper" / main.LIST).write_text(json.dumps(listed))


def file_of(folder: Path, part: str) -> Path:
    return folder / {"flashed file": FLASHED_FILE, "list": f"chargekeeper/{main.LIST}"}.get(part, part)


def removed(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: -path.stat().st_size // 3])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def overwritten(path: Path) -> None:
    path.write_bytes(b"\xff" * path.stat().st_size)


def bent(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.find(b"def ") if path.suffix == ".py" and b"def " in content else len(content) // 2] ^= 0x80
    path.write_bytes(content)


def run(folder: Path) -> str:
    """Run the starter; return what it prints."""
    run = Path(__file__).with_name("damaged_run.py")
    done = subprocess.run(
        [MICROPYTHON, run, folder], capture_output=True, text=True, errors="replace", timeout=WITHIN_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def expected(damaged: set[str]) -> str:
    """Return what must start, or "refused"."""
    whole = [slot for slot in ("a", "b") if not damaged & {f"{slot}/product", f"{slot}/manifest"}]
    chooses = "starter.py" not in damaged
    if chooses and "slots" not in damaged and whole:
        return f"started {whole[0]}"  # the active slot, or the previous one
    if not damaged & {"flashed file", "list"}:
        return "started flashed"
    return f"started {whole[0]}" if chooses and whole else "refused"


DAMAGES = (removed, cut, emptied, overwritten, bent)


def look(folder: Path, damaged: set[str], damage: Callable[[Path], None]) -> bool:
    """Damage these parts of a flash and start it; return whether it refused. Fails if it does not do as it should."""
    folder.mkdir()
    lay(folder)
    for part in damaged:
        damage(file_of(folder, part))
    printed = run(folder)
    shutil.rmtree(folder)
    lines, seen = printed.splitlines(), (damaged, damage, printed)
    assert [line for line in lines if line.startswith("started")] in ([], [expected(damaged)]), seen
    if lines[-1].startswith("started"):
        return False
    assert expected(damaged) == "refused", seen
    assert lines[-1].startswith("chargekeeper: ") and lines[-1].endswith("run `make flash` again"), seen
    assert "wires.py" in damaged or lines[-3:-1] == ["safe", "red"], seen
    return True


def test_every_combination_of_damaged_parts(tmp_path: Path) -> None:
    combinations = [set(parts) for count in range(len(PARTS) + 1) for parts in itertools.combinations(PARTS, count)]
    refused = [
        look(tmp_path / "flash", damaged, DAMAGES[number % len(DAMAGES)]) for number, damaged in enumerate(combinations)
    ]
    assert len(refused) == 2 ** len(PARTS) and 30 < sum(refused) < 150


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_kind_of_damage(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    for parts in (*({part} for part in PARTS), set(PARTS), set(PARTS) - {"wires.py"}, set(PARTS) - {"starter.py"}):
        look(tmp_path / "flash", parts, damage)


def test_a_slot_that_was_gone_back_from_does_not_rescue(tmp_path: Path) -> None:
    lay(tmp_path)
    lay_record(tmp_path, bad="a")
    emptied(file_of(tmp_path, "flashed file"))
    assert "started b" in run(tmp_path)
    emptied(file_of(tmp_path, "b/product"))
    lay_record(tmp_path, bad="a")
    assert "started" not in run(tmp_path)


def test_one_that_rescued_is_chosen_from_then_on_and_gone_back_from_after_three_panics(tmp_path: Path) -> None:
    lay(tmp_path)
    for part in ("slots", "flashed file", "b/product"):
        emptied(file_of(tmp_path, part))
    lay_slot(tmp_path / "a", "1.1.0", product_of("raise ValueError('a mistake of the maker')\n"))
    ends = [run(tmp_path).splitlines()[-1] for _ in range(4)]
    assert ends[:3] == ["reset"] * 3
    assert ends[3].startswith("chargekeeper: no slot is whole")
