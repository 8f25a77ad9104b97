"""A copy of the tree in which additions are made, to record which files each addition needs."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
WITHIN_S = 120
ROOMS = ("cloud_bridge", "firmware", "modem", "tests")


class CopiedTree:
    """A copy of the tree in `folder`. `touched` collects the files that were written or changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.touched: set[str] = set()  # paths relative to the tree
        ignore = shutil.ignore_patterns("__pycache__", "node_modules")
        for room in ROOMS:
            shutil.copytree(ROOT / room, folder / room, ignore=ignore)
        (folder / "cloud_bridge/web/node_modules").symlink_to(ROOT / "cloud_bridge/web/node_modules")
        shutil.copy(ROOT / "pyproject.toml", folder)
        (folder / "store").mkdir()

    def write(self, name: str, text: str) -> None:
        """Write a new file."""
        path = self.folder / name
        assert not path.exists(), f"{name} exists already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.touched.add(name)

    def change(self, name: str, changes: Mapping[str, str]) -> None:
        """Replace each text, which must occur exactly once."""
        path = self.folder / name
        text = path.read_text()
        for old, new in changes.items():
            assert text.count(old) == 1, f"{name}: {old!r} occurs {text.count(old)} times"
            text = text.replace(old, new)
        path.write_text(text)
        self.touched.add(name)

    def run(self, *words: str) -> str:
        """Run Python in the tree; return its standard output. Fails with all output if the exit code is not 0."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env={"PYTHONPATH": str(self.folder), "PATH": ""},
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
