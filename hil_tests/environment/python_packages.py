"""The Python environment: .venv with every package of the lock files, each checked by its hash.

`requirements.lock` is the product's: only what the service needs. `dev.lock` adds what tests it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hil_tests.environment import debian
from hil_tests.environment.errors import SetUpError, run

OLDEST_PYTHON = (3, 11)
PRODUCT, TOOLS = Path("requirements.lock"), Path("dev.lock")
# Type stubs of MicroPython. They would shadow CPython's, and a board's would shadow the unix port's, so each has its
# own folder.
STUBS = {"stubs": Path("stubs.lock"), "stubs-esp32": Path("stubs-esp32.lock")}
NO_PIP = "Install python3-venv, or python3-pip, and try again."
NO_INDEX = "Does `pip download six` work on this machine? The packages come from there."


def make(venv: Path, product_alone: bool = False) -> None:
    """Create the environment. `product_alone` leaves out what tests the product. Raises SetUpError."""
    if sys.version_info < OLDEST_PYTHON:
        raise SetUpError(
            f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed; try `make PYTHON=python3.11`."
        )
    python = venv / "bin" / "python"
    print(f"1/4  Python packages into {venv.name} ...", flush=True)
    if not python.exists():
        run([sys.executable, "-m", "venv", "--without-pip", venv], NO_PIP)
    _add_pip(python)
    install: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--no-deps",
    ]
    run([*install, "-r", PRODUCT], NO_INDEX)
    if product_alone:
        return
    run([*install, "-r", TOOLS], NO_INDEX)
    for folder, lock in STUBS.items():
        run([*install, "--upgrade", "--target", venv / folder, "-r", lock], NO_INDEX)


def _add_pip(python: Path) -> None:
    """Install pip in the environment: from ensurepip, or from Debian's own wheel where Debian leaves ensurepip out."""
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        return
    if subprocess.run([python, "-m", "ensurepip"], capture_output=True, check=False).returncode == 0:
        return
    if not shutil.which("apt-get"):
        raise SetUpError(f"this Python has no ensurepip. {NO_PIP}")
    with tempfile.TemporaryDirectory(prefix="chargekeeper-pip-") as folder:
        debian.unpack(["python3-pip-whl"], debian.release()[1], Path(folder))
        wheels = sorted(Path(folder).glob("usr/share/python-wheels/pip-*.whl"))
        if not wheels:
            raise SetUpError(f"Debian's python3-pip-whl holds no pip. {NO_PIP}")
        run(
            [python, "-m", "pip", "install", "--quiet", wheels[0]],
            NO_PIP,
            env={**os.environ, "PYTHONPATH": str(wheels[0])},
        )
