"""Can a board be added with one file, and does an image contain what its board needs, and nothing for other boards?"""

import shutil
import sys
from pathlib import Path

import pytest

from firmware.image.sources import CHOSEN
from firmware.image.sources import VERSION as VERSION_FILE
from firmware.lazy_import import ON_DEMAND
from firmware.version import VERSION
from hil_tests.rig import image
from modem.families import registry

SECOND = """
from firmware.boards.tcall import TCallBoard
from firmware.boards.board import Board


class SecondBoard(Board):
    pass
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tree without build results."""
    for room in ("firmware", "modem"):
        shutil.copytree(image.CHECKOUT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(image, "CHECKOUT", tmp_path)
    monkeypatch.setattr(image, "BUILD", tmp_path / "build")
    return tmp_path


def test_every_board_of_the_tree_can_be_built() -> None:
    boards = image.boards()
    assert {"tcall", image.VIRTUAL, "virtual_unguarded"} <= set(boards)
    assert all(image.sources(board) for board in boards)


def test_a_second_board_is_one_file(checkout: Path) -> None:
    before = (checkout / "firmware/main.py").read_text()
    (checkout / "firmware/boards/second.py").write_text(SECOND)
    assert image.build("second").stat().st_size > 50_000
    choice = image.sources("second")[CHOSEN].read_text()
    assert choice == "from firmware.boards.second import SecondBoard as Board\n"
    assert (checkout / "firmware/main.py").read_text() == before


def test_no_board_has_another_ones_code() -> None:
    tcall, virtual = set(image.sources("tcall")), set(image.sources(image.VIRTUAL))
    assert {
        "firmware/boards/i2c_parts.py",
        "modem/ports/machine_uart.py",
        "firmware/metering/sdm.py",
    } <= tcall - virtual
    assert {"firmware/boards/flash_image.py", "modem/ports/unix_tty.py"} <= virtual - tcall
    assert not [
        name for name in tcall | virtual if "modem/installer" in name or "pyserial" in name or "__main__" in name
    ]


def test_the_family_that_a_board_names_is_in_its_image_and_no_other() -> None:
    families = {name for name in image.sources("tcall") if name.startswith("modem/families/sim")}
    assert {"modem/families/sim800.py", "modem/families/sim800_setup.py"} <= families
    assert not families & {f"modem/families/{name}.py" for _, name in registry.MODELS if name != "sim800"}


def test_every_modem_family_is_in_the_image_of_a_board_that_names_none() -> None:
    assert {f"modem/families/{name}.py" for _, name in registry.MODELS} <= set(image.sources(image.VIRTUAL))


def test_what_is_imported_on_demand_is_in_it() -> None:
    needed = {f"{module.replace('.', '/')}.py" for module in ON_DEMAND}
    assert needed <= set(image.sources(image.VIRTUAL))
    assert needed - set(image.sources("tcall")) == {"modem/families/registry.py"}, "its modem is known"


def test_an_image_knows_the_day_of_its_build(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(1_800_000_123))
    text = image.sources("tcall")[VERSION_FILE].read_text()
    assert f"BUILT_S = {1_800_000_123 // 86400 * 86400}\n" in text and VERSION in text
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    today = image.sources("tcall")[VERSION_FILE].read_text()
    assert today != text and today == image.sources("tcall")[VERSION_FILE].read_text()


@pytest.mark.parametrize("board", ["none_such", "board", "plateaus"])
def test_what_is_no_board_is_refused_by_name(board: str) -> None:
    with pytest.raises(image.DoesNotCompile, match=f"BOARD={board}"):
        image.sources(board)


def test_the_board_is_the_environments_or_the_virtual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOARD", raising=False)
    assert image.chosen() == image.VIRTUAL
    monkeypatch.setenv("BOARD", "tcall")
    assert image.chosen() == "tcall"
    assert sys.modules.get("machine") is None, "no code of a board was run to find it"
