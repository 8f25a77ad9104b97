"""The journal of one serial number: each completed step, synchronised to disk before the next step begins.

One file for each serial number, mode 600, because it contains the claim code. It is replaced as a whole, so that a power cut
leaves either the previous file or the new one.
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
    """`facts` maps the name of a completed step to its results. Open it with `opened`, which excludes other processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self.facts: dict[str, Facts] = json.loads(path.read_text()) if path.exists() else {}
        except ValueError:
            raise StationTrouble(f"{path} is damaged: move it away, and do not use the serial number again") from None

    def note(self, step: str, facts: Facts) -> None:
        """Record that the step is done, with its results."""
        self._keep(self.facts | {step: facts})

    def forget(self, *kept: str) -> None:
        """Remove all steps except `kept`, so that they are done again."""
        self._keep({step: facts for step, facts in self.facts.items() if step in kept})

    def _keep(self, facts: dict[str, Facts]) -> None:
        write_private(self._path, json.dumps(facts, indent=1).encode())
        self.facts = facts


@contextmanager
def opened(folder: Path, serial: str) -> Iterator[Journal]:
    """Open the journal of a serial number, locked for this process. Raises StationTrouble if another process has it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(folder / f"{serial}.lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StationTrouble(f"another station is working on {serial}") from None
        yield Journal(folder / f"{serial}.json")


def write_private(path: Path, content: bytes) -> None:
    """Replace the file with one of mode 600 and synchronise it to disk before returning."""
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
