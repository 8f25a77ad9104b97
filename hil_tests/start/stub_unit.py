"""One start of a whole unit on real MicroPython and a board of stubs, one part of which may be made to fail."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from hil_tests.rig.image import BUILD, VIRTUAL, build

SCRIPT = Path(__file__).parent / "stub_on_micropython.py"
MICROPYTHON = Path(sys.prefix) / "bin" / "micropython"
HEAP = "256wK"  # the rig's 128, plus the code, which does not run in place here
WITHIN_MS = 5000
TIMEOUT_S = 60
TYPED = "update\nstatus\ncsq\nsessions\nschedule\nconfig\nauthority\nhelp\nstatus\n"
# MicroPython's unix port has no global interpreter lock, unlike a board's port, and other threads run on during a
# garbage collection: ports/unix/mpthreadport.c notes at mp_thread_gc_others that races remain. One start in some
# thousands ends by a signal (SIGSEGV), or both threads walk a list of interned strings endlessly (find_qstr in
# py/qstr.c, seen with gdb). No Python code can cause this, so the start is repeated from the same flash, and printed. A
# failure of the product's code occurs at each start.
STARTS = 3


class Run(NamedTuple):
    """What a unit did. `led` is the light's state when the charge began."""

    charged_ms: int | None
    led: str
    console: list[str]
    modules: set[str]
    output: str


def run(
    folder: Path,
    sabotage: str = "",
    cause: str = "power_on",
    typed: str = TYPED,
    image: Path | None = None,
    script: Path = SCRIPT,
    more: tuple[Path, ...] = (),
) -> Run:
    """Run a unit with a car until it has answered what is `typed`.

    `image` is the file of its flash chip, if it has one. `more` are further arguments of `script`.
    """
    tree = folder / "tree"
    build(VIRTUAL)
    (folder / "flash").mkdir(exist_ok=True)
    shutil.copytree(BUILD / VIRTUAL, tree)
    if (compiled := (tree / sabotage.replace(".", "/")).with_suffix(".mpy")).exists():
        compiled.unlink()
        compiled.with_suffix(".py").write_text(f"raise ImportError('sabotaged {sabotage}')\n")
    command = [MICROPYTHON, "-X", f"heapsize={HEAP}", script, folder / "flash", sabotage, cause]
    done = _started(
        [str(part) for part in (*command, *([image] if image else []), *more)],
        typed,
        {**os.environ, "MICROPYPATH": f"{tree}:.frozen"},
        [folder / "flash", folder / "flash.rtc", *([image] if image else []), *more],
    )
    lines = done.stdout.splitlines()
    charged = [line.split() for line in lines if line.startswith("charged ")]
    return Run(
        int(charged[0][1]) if charged else None,
        " ".join(charged[0][2:]) if charged else "",
        [line.removeprefix("console ") for line in lines if line.startswith("console ")],
        {name for line in lines if line.startswith("modules ") for name in line.split()[1:]},
        f"{done.stdout}{done.stderr}exit code {done.returncode}",  # negative: the number of the signal that ended it
    )


def _started(
    command: list[str], typed: str, environment: dict[str, str], kept: list[Path]
) -> "subprocess.CompletedProcess[str]":
    """Start the unit, and again if the interpreter died. `kept` are the files that a unit finds again at its next
    start.

    Raises TimeoutExpired if no start came to its end.
    """
    with tempfile.TemporaryDirectory() as before:
        for number, path in enumerate(kept):
            _copy(path, Path(before) / str(number))
        for start in range(1, STARTS + 1):
            try:
                done = subprocess.run(
                    command,
                    input=typed,
                    env=environment,
                    capture_output=True,
                    text=True,
                    timeout=TIMEOUT_S,
                    check=False,
                )
                if done.returncode >= 0 or start == STARTS:
                    break
                end = f"was ended by signal {-done.returncode}: {done.stderr}"
            except subprocess.TimeoutExpired:
                if start == STARTS:
                    raise
                end = f"had not come to its end in {TIMEOUT_S} s"
            print(f"the interpreter {end}; start {start + 1} of {STARTS}")
            for number, path in enumerate(kept):
                _copy(Path(before) / str(number), path)
    return done


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder, replacing the target."""
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        shutil.copyfile(source, target)
