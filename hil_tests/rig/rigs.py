"""The rigs of rigs.toml: what each offers, and how to open it."""

import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator

from hil_tests.fixtures.background import Background
from hil_tests.fixtures.children import die_with_parent
from hil_tests.rig.bench import Bench, Lines
from hil_tests.rig.console import ConsoleSilent
from hil_tests.rig.contract import FAULTS, OFFERS, Rig
from hil_tests.rig.loop import LINKS
from hil_tests.rig.manners import MANNERS
from hil_tests.rig.plain import PlainRig
from hil_tests.rig.virtual import VirtualRig

FILE = Path(__file__).resolve().parents[1] / "rigs.toml"
LOOP_WITHIN_S = 60


class NotThere(Exception):
    """The rig does not answer. The text names the rig and the reason."""


class RigKind(BaseModel, extra="forbid", frozen=True):
    """One table of rigs.toml."""

    name: str
    offers: frozenset[str]
    faults: tuple[str, ...] = ()
    serial: Lines | Literal["loop"] | None = None  # None: virtual; "loop": of a process started for this
    units: Literal[1, 3] = 1  # three: house, garage and shed of hil_tests/scenarios/system.py
    manners: tuple[str, ...] = ()  # of a virtual rig's units, see manners.py
    time_scale: float = Field(default=1, gt=0)

    @field_validator("faults", mode="before")
    @classmethod
    def _all_of_them(cls, faults: Any) -> Any:
        return FAULTS if faults == "all" else faults

    @field_validator("offers", "faults", "manners")
    @classmethod
    def _no_strangers(cls, names: Any) -> Any:
        strangers = set(names).difference(OFFERS, FAULTS, MANNERS)
        if strangers:
            raise ValueError(f"unknown names: {', '.join(sorted(strangers))}")
        return names

    def lacking(self, needs: tuple[str, ...]) -> str | None:
        """Return why a test with these needs cannot run here, or None."""
        missing = [f"no {need} ({OFFERS[need]})" for need in needs if need not in self.offers]
        return f"rig {self.name} has {', '.join(missing)}" if missing else None

    @contextmanager
    def opened(self, folder: Path, background: Background) -> Iterator[list[Rig]]:
        """Open the rig and yield its units, switched on. Raises NotThere."""
        with ExitStack() as stack:
            rigs: list[Rig] = []
            for number in range(self.units):
                rig = self._open(folder / f"unit-{number}", number, background, stack)
                stack.callback(rig.close)
                rigs.append(rig)
            yield rigs

    def _open(self, folder: Path, seed: int, background: Background, stack: ExitStack) -> Rig:
        if self.serial is None:
            return VirtualRig(background, folder, seed, self.time_scale, self.manners)
        lines = stack.enter_context(_looped(folder)) if self.serial == "loop" else self.serial
        bench = background.call(lambda: Bench(lines, self.faults, seed))
        try:
            return PlainRig(background, bench, self.time_scale)
        except (OSError, ConsoleSilent) as error:
            raise NotThere(f"rig {self.name}: {error}") from error


def kinds(path: Path = FILE) -> dict[str, RigKind]:
    """Return every rig by name. Raises ValueError."""
    return {name: RigKind(name=name, **told) for name, told in tomllib.loads(path.read_text()).items()}


@contextmanager
def _looped(folder: Path) -> Iterator[Lines]:
    """Run rig/loop.py in its own process, with its output in `loop.log`, and yield its lines."""
    folder.mkdir(parents=True, exist_ok=True)
    said, links = folder / "loop.log", {end: folder / link for end, link in LINKS.items()}
    with open(said, "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hil_tests.rig.loop", folder], stdout=log, stderr=log, preexec_fn=die_with_parent
        )
    try:
        deadline_s = time.monotonic() + LOOP_WITHIN_S
        while not all(link.exists() for link in links.values()):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise NotThere(f"the process behind the loop printed: {said.read_text()}")
            time.sleep(0.05)
        yield Lines(**{end: str(link) for end, link in links.items()})
    finally:
        process.terminate()
        process.wait()
