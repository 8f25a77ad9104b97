"""Copies of the tree, each with a warm worker (worker.py). Mistakes are made in the copies, never in the checkout."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from hil_tests.fixtures.children import die_with_parent
from hil_tests.mutants.operators import Mutant, marked
from hil_tests.mutants.rooms import Item, runs_for
from hil_tests.mutants.worker import FAILED, NO_TESTS, OUTPUT, SURVIVED

CHECKOUT = Path(__file__).resolve().parents[2]
COPIES = CHECKOUT / "build" / "mutants"
COPIED = ("firmware", "modem", "cloud_bridge", "hil_tests", "tests")
# Random tests run fewer examples, which is enough to show whether they check a place.
FEWER_EXAMPLES = {"FUZZ_STEPS": "100", "OCPP_FRAMES": "50"}
MEASURED_WITHIN_S = 600  # processor time for one test file
SLOWER, SPARE_S = 3, 5  # limit for a test with a mistake: SLOWER times its usual time, plus SPARE_S


class Measured(NamedTuple):
    """The measurements of one test file, without a mistake."""

    items: dict[str, Item]
    failed: list[str]  # tests that fail on instrumented files, and are left out


@contextmanager
def exclusive_lock() -> Iterator[None]:
    """Hold the lock on the copies. Raise SystemExit if another run holds it."""
    COPIES.mkdir(parents=True, exist_ok=True)
    with (COPIES / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another run uses {COPIES}") from None
        yield


class Copy:
    """One copy of the tree with its worker. Use it as a context manager."""

    def __init__(self, name: str) -> None:
        self.folder = COPIES / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for folder in COPIED:
            leave_out = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(CHECKOUT / folder, self.folder / folder, ignore=leave_out)
        for file in (*CHECKOUT.glob("*.lock"), CHECKOUT / "Makefile", CHECKOUT / "pyproject.toml"):
            shutil.copy2(file, self.folder)
        for fetched in (".venv", "cloud_bridge/web/node_modules"):
            (self.folder / fetched).symlink_to(CHECKOUT / fetched)
        self._changes = 0

    def __enter__(self) -> "Copy":
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "hil_tests.mutants.worker"],
            cwd=self.folder,
            env={**os.environ, **FEWER_EXAMPLES},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.kill()
        self._worker.communicate()

    def _ask(self, **order: object) -> int:
        """Send a run to the worker and return its exit code. Raise SystemExit if the worker has ended."""
        if self._worker.stdin and self._worker.stdout:
            self._worker.stdin.write(json.dumps(order) + "\n")
            self._worker.stdin.flush()
            answer = self._worker.stdout.readline()
            if answer:
                return int(answer)
        raise SystemExit(f"the worker in {self.folder} has ended")

    def mark(self, paths: Iterable[str]) -> None:
        """Instrument these files to record which functions are called (operators.marked), for `measure`."""
        for path in paths:
            (self.folder / path).write_text(marked(path, (CHECKOUT / path).read_text()))

    def unmark(self, paths: Iterable[str]) -> None:
        """Restore the instrumented files."""
        for path in paths:
            shutil.copy2(CHECKOUT / path, self.folder / path)

    def measure(self, file: str) -> Measured:
        """Run a test file and return its measurements. Raise SystemExit if it cannot run."""
        kept = self.folder / "measured.json"
        code = self._ask(files=[file], kept=str(kept), within_s=MEASURED_WITHIN_S)
        if code not in (SURVIVED, FAILED, NO_TESTS):
            raise SystemExit(f"{file} cannot be run, even without a mistake:\n{(self.folder / OUTPUT).read_text()}")
        found = json.loads(kept.read_text())
        self._ask(modules=found["modules"])  # the worker imports them now, so that later runs begin sooner
        items = {item: Item(seconds, frozenset(functions)) for item, (seconds, functions) in found["items"].items()}
        return Measured(items, found["failed"])

    def survives(self, mutant: Mutant, items: Mapping[str, Item]) -> bool:
        """Return whether the mutant survives all its tests."""
        self._write(mutant.path, mutant.mutated())
        try:
            return all(self._passes(run, items) for run in runs_for(mutant.path, mutant.function, items))
        finally:
            self._write(mutant.path, mutant.source)

    def _write(self, path: str, source: str) -> None:
        """Write a file with a new modification time.

        No two versions of a file have the same time, so Python never uses the cached bytecode of another version.
        """
        self._changes += 1
        (self.folder / path).write_text(source)
        os.utime(self.folder / path, (self._changes, self._changes))

    def _passes(self, run: list[str], items: Mapping[str, Item]) -> bool:
        within_s = {item: int(SLOWER * items[item].seconds) + SPARE_S for item in run}
        code = self._ask(
            files=list(dict.fromkeys(item.split("::")[0] for item in run)),
            items=within_s,
            timeout_s=10 * max(within_s.values()),
            within_s=int(SLOWER * sum(items[item].seconds for item in run)) + SPARE_S,
        )
        return code == SURVIVED
