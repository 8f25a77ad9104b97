"""MicroPython with a settable clock, for a unit whose clock starts in 2000: `.venv/bin/micropython-with-clock`.

It uses libfaketime, unpacked from Debian's package into .venv. hil_tests/rig/processor.py sets the time.
"""

from pathlib import Path

from hil_tests.environment import debian
from hil_tests.environment.errors import SetUpError
from hil_tests.environment.micropython import ADVICE, ROOT, SUITES

FOLDER = Path("faketime")  # in .venv
STARTER = "micropython-with-clock"


def fetch(venv: Path) -> None:
    command = venv / "bin" / STARTER
    library = _library(venv)
    if library is None:
        print("     a clock that can be set ...", flush=True)
        distribution, _ = debian.release()
        if distribution not in SUITES:
            raise SetUpError(f"this is neither Debian nor Ubuntu. {ADVICE}")
        debian.unpack(("libfaketime",), SUITES[distribution], venv / FOLDER)
        library = _library(venv)
    if library is None:
        raise SetUpError("the package libfaketime has no library in it.")
    command.write_text(_starter(venv, library.relative_to(venv)))
    command.chmod(0o755)


def _library(venv: Path) -> Path | None:
    return next(iter(sorted((venv / FOLDER).glob("usr/lib/*/faketime/libfaketimeMT.so.1"))), None)


def _starter(venv: Path, library: Path) -> str:
    """Return the script: with the unpacked C library's own loader if there is one (micropython.py), else the machine's."""
    preload = f'"$venv/{library}"'
    loader = next(iter(sorted((venv / ROOT).glob("usr/lib*/ld-linux*.so.*"))), None)
    libraries = next(iter(sorted((venv / ROOT).glob("usr/lib/*/libc.so.6"))), None)
    run = f'LD_PRELOAD={preload} exec "$venv/bin/micropython" "$@"'
    if loader and libraries:
        root = f"$venv/{ROOT}"
        paths = f'--preload {preload} --library-path "$venv/{libraries.parent.relative_to(venv)}"'
        run = f'exec "$venv/{loader.relative_to(venv)}" {paths} "{root}/usr/bin/micropython" "$@"'
    return f'#!/bin/sh\nvenv="$(dirname "$(dirname "$0")")"\n{run}\n'
