"""The folders where CPython finds the modules of a MicroPython port. pyproject.toml gives the same folders to pytest."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def add_paths() -> None:
    """Add the folders to sys.path. Call this before any firmware module is imported."""
    for folder in (ROOT / ".venv/micropython/lib", ROOT / "tests/on_cpython"):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
