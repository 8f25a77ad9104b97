"""The journal of one serial number: what was done with its unit, on the disk before the next step begins.

A file for each, mode 600, since it holds the claim code. It is replaced whole, so a cut of the power leaves the one before or
the new one.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil_tests.station.errors import StationTrouble

Facts = dict[str, Any]


class Journal:
    """`facts`: by name of the step. Nobody else works on it meanwhile (`opened`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self.facts: dict[str, Facts] = json.loads(path.read_text()) if path.exists() else {}
        except ValueError:
            raise StationTrouble(f"{path} is damaged: lay it aside; the serial number must not be used again") from None

    def note(self, step: str, facts: Facts) -> None:
        """The step is done, and this came of it."""
        self._keep(self.facts | {step: facts})

    def forget(self, *kept: str) -> None:
        """All steps but these are to be done again."""
        self._keep({step: facts for step, facts in self.facts.items() if step in kept})

    def _keep(self, facts: dict[str, Facts]) -> None:
        write_private(self._path, json.dumps(facts, indent=1).encode())
        self.facts = facts


@contextmanager
def opened(folder: Path, serial: str) -> Iterator[Journal]:
    """The journal of a serial number, for this process alone. Raises StationTrouble."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(folder / f"{serial}.lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StationTrouble(f"another station works on {serial} now") from None
        yield Journal(folder / f"{serial}.json")


def write_private(path: Path, content: bytes) -> None:
    """A file of mode 600, whole or not at all, and on the disk when this returns."""
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
