"""Where the firmware finds, on CPython, what a port of MicroPython has: the folders that pyproject.toml gives to pytest."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def add_paths() -> None:
    """Before anything of the firmware is imported."""
    for folder in (ROOT / ".venv/micropython/lib", ROOT / "tests/on_cpython"):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
