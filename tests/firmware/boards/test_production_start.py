"""Does the production image start the slot of an update, or otherwise the frozen version?

Is the unit safe, and its light red, between failed starts? On real MicroPython and a real littlefs. [S1-3b] [S1-3c]
"""

import subprocess
from pathlib import Path

import pytest

from tests.firmware.boards.laid_slots import lay_record, lay_slot, product, product_of, says

ROOT = Path(__file__).parents[3]
MICROPYTHON = ROOT / ".venv" / "bin" / "micropython"
SCRIPT = Path(__file__).with_name("production_run.py")
WITHIN_S = 60
EXIT_POWER = 9
CRASHES = "raise ValueError('a mistake of the maker')\n"
WIRES = "def make_safe():\n    print('safe')\n\n\ndef show_red():\n    print('red')\n"
MARK, SOON = "0.1.0 1767225600", "0.2.0 1767312000"
REFUSAL = [
    "safe",
    "red",
    "chargekeeper: the start has failed, and is tried again; if it fails each time, write the image again",
    "reset",
]


def micropython(*words: object) -> subprocess.CompletedProcess[str]:
    command = [str(word) for word in (MICROPYTHON, SCRIPT, *words)]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=WITHIN_S, check=False)


def start(folder: Path, cause: str = "power_on") -> list[str]:
    """Start the image; return what it prints, without tracebacks."""
    done = micropython("run", folder, cause)
    assert done.returncode == 0, done.stdout + done.stderr
    return [
        line for line in done.stdout.splitlines() if line.startswith(("started", "chargekeeper")) or " " not in line
    ]


def freeze(folder: Path, mark: str = MARK, source: str | None = None) -> None:
    """Freeze the image of this mark."""
    version, built_s = mark.split()
    firmware = folder / "frozen" / "firmware"
    firmware.mkdir(parents=True, exist_ok=True)
    (firmware / "version.py").write_text(f'VERSION = "{version}"\nBUILT_S = {built_s}\n')
    (firmware / "main.py").write_text(source or says("built_in"))
    (folder / "frozen" / "wires_tcall.py").write_text(WIRES)


def lay(folder: Path, **record: object) -> None:
    """Make a chip on which slot a is active and slot b was before, of the image MARK."""
    files = folder / "files"
    for slot, version in (("a", "1.1.0"), ("b", "1.0.0")):
        lay_slot(files / slot, version, product(slot))
    lay_record(files, **{"active": "a", "before": "b", **record})
    (files / "flashed").write_text(MARK)
    (files / "update").write_text("an order")


@pytest.fixture
def board(tmp_path: Path) -> Path:
    freeze(tmp_path)
    lay(tmp_path)
    return tmp_path


def write(board: Path) -> None:
    """Write the files to the chip."""
    assert micropython("lay", board).returncode == 0


def test_the_active_slot_is_started(board: Path) -> None:
    write(board)
    assert start(board) == ["watchdog", "started a"]


def test_erased_flash_and_flash_without_slots_start_what_is_frozen(tmp_path: Path) -> None:
    freeze(tmp_path)
    assert start(tmp_path) == ["started built_in"]
    (tmp_path / "files").mkdir()
    write(tmp_path)
    assert [start(tmp_path), start(tmp_path)] == [["started built_in"]] * 2


@pytest.mark.parametrize(
    ("damaged", "runs"),
    [
        (("a/product",), ["watchdog", "started b"]),
        (("a/manifest", "b/product"), ["started built_in"]),
        (("slots",), ["started built_in"]),
    ],
)
def test_what_is_damaged_is_not_started(board: Path, damaged: tuple[str, ...], runs: list[str]) -> None:
    for part in damaged:
        content = bytearray((board / "files" / part).read_bytes())
        content[len(content) // 2] ^= 0x80
        (board / "files" / part).write_bytes(content)
    write(board)
    assert [start(board), start(board)] == [runs] * 2


def test_a_slot_that_crashes_is_gone_back_from_at_its_third_strike(board: Path) -> None:
    lay_slot(board / "files" / "a", "1.1.0", product_of(CRASHES))
    lay_record(board / "files", active="a", before="b", state="trial")
    write(board)
    for _ in range(3):
        assert start(board) == ["watchdog", "reset"]
    assert start(board) == ["watchdog", "started b"]


def test_the_watchdog_counts_and_a_restart_that_was_asked_for_does_not(board: Path) -> None:
    lay_record(board / "files", active="a", before="b", state="trial")
    write(board)
    runs = [start(board, cause)[-1] for cause in ("watchdog", "asked", "watchdog", "power_on", "watchdog")]
    assert runs == ["started a"] * 4 + ["started b"]


def test_what_a_cable_has_brought_is_what_runs(board: Path) -> None:
    """Whether it is newer or older than the slots: their record is dropped, but not the rest of the flash."""
    write(board)
    freeze(board, SOON)
    assert [start(board), start(board)] == [["started built_in"]] * 2
    freeze(board)
    assert start(board) == ["started built_in"]


def test_the_slot_that_the_first_image_has_filled_is_its_own(board: Path) -> None:
    """The product formats erased flash after the point at which the image would have been recorded."""
    (board / "files" / "flashed").unlink()
    write(board)
    assert start(board) == ["watchdog", "started a"]


def test_the_power_goes_at_each_write_of_the_first_start_of_another_image(board: Path) -> None:
    freeze(board, SOON)
    cuts = 0
    while True:
        write(board)
        done = micropython("run", board, "power_on", cuts)
        if done.returncode != EXIT_POWER:
            break
        assert [start(board), start(board)] == [["started built_in"]] * 2, cuts
        cuts += 1
    assert cuts == 3  # both files of the slots, and the mark


def test_a_frozen_product_that_crashes_leaves_the_outputs_safe_and_red(tmp_path: Path) -> None:
    freeze(tmp_path, source=CRASHES)
    assert start(tmp_path) == REFUSAL
    (tmp_path / "frozen" / "wires_tcall.py").write_text("import nothing_of_this_name\n")
    assert start(tmp_path) == REFUSAL[2:]
