"""`python -m hil_tests.home_assistant.environment`: install Home Assistant into a separate environment, build/home-assistant.

`home-assistant.lock` beside this file lists every package with its hash. 2024.3.3 is the newest release for Python 3.11. pip
can only resolve it with the constraints in its wheel; `--lock` writes the lock file again from them. Besides its dependencies,
the lock file contains the packages of the integrations that program.py uses. Home Assistant would install those itself, but
runs with `--skip-pip`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from hil_tests.environment.errors import SetUpError, run

VERSION = "2024.3.3"
PYTHON = (3, 11)
LOCK = Path(__file__).with_name("home-assistant.lock")
VENV = Path(__file__).parents[2] / "build" / "home-assistant"
FOLLOWED = VENV / "followed.lock"
INTEGRATIONS = (  # with versions in its constraints: for frontend, mqtt, http, recorder and their dependencies
    "home-assistant-frontend",
    "paho-mqtt",
    "aiohttp-cors",
    "aiohttp-fast-url-dispatcher",
    "aiohttp-zlib-ng",
    "sqlalchemy",
    "fnv-hash-fast",
    "psutil-home-assistant",
    "janus",
    "pillow",
    "securetar",
    "numpy",
    "pyturbojpeg",
    "mutagen",
    "ha-ffmpeg",
)
ADVICE = "Does `pip download six` work on this machine? The packages come from there."


def make() -> Path:
    """Install what the lock file lists, unless it is installed. Return the environment. Raises SetUpError."""
    if FOLLOWED.exists() and FOLLOWED.read_bytes() == LOCK.read_bytes():
        return VENV
    python = _bare(VENV)
    print(f"Home Assistant {VERSION} into {VENV.name} ...", flush=True)
    run([python, *_pip("install"), "--no-compile", "--require-hashes", "--no-deps", "-r", LOCK], ADVICE)
    FOLLOWED.write_bytes(LOCK.read_bytes())
    return VENV


def write_lock() -> None:
    """Write the lock file from pip's resolution for this machine. Raises SetUpError."""
    with tempfile.TemporaryDirectory(prefix="chargekeeper-home-assistant-") as name:
        folder = Path(name)
        python = _bare(folder / "venv")
        wanted = f"homeassistant=={VERSION}"
        run([python, *_pip("download"), "--no-deps", "--dest", folder, wanted], ADVICE)
        constraints = folder / "constraints.txt"
        with zipfile.ZipFile(next(folder.glob("homeassistant-*.whl"))) as wheel:
            constraints.write_bytes(wheel.read("homeassistant/package_constraints.txt"))
        report = folder / "report.json"
        chosen = [wanted, *INTEGRATIONS, "josepy<2"]  # a newer one is incompatible with its version of acme
        run([python, *_pip("install"), "--dry-run", "--report", report, "-c", constraints, *chosen], ADVICE)
        LOCK.write_text(_lock_of(json.loads(report.read_text())))


def _lock_of(report: dict[str, list[dict[str, dict[str, dict[str, dict[str, str]]]]]]) -> str:
    lines = [
        "# Written by `python -m hil_tests.home_assistant.environment --lock`, for CPython 3.11 on this kind of machine."
    ]
    for one in sorted(report["install"], key=lambda one: str(one["metadata"]["name"]).lower()):
        digest = one["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{one['metadata']['name']}=={one['metadata']['version']} \\\n    --hash=sha256:{digest}")
    return "\n".join(lines) + "\n"


def _bare(venv: Path) -> Path:
    """Make the environment if necessary; return its Python, with pip."""
    if sys.version_info[:2] != PYTHON:
        raise SetUpError(
            f"Home Assistant {VERSION} needs Python 3.11, this is {sys.version_info[0]}.{sys.version_info[1]}"
        )
    if not (venv / "bin" / "python").exists():
        run([sys.executable, "-m", "venv", venv], "Install python3-venv.")
    return venv / "bin" / "python"


def _pip(command: str) -> list[str]:
    return ["-m", "pip", command, "--quiet", "--disable-pip-version-check"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m hil_tests.home_assistant.environment", description=__doc__)
    parser.add_argument("--lock", action="store_true", help="write the lock file again")
    try:
        if parser.parse_args().lock:
            write_lock()
        make()
    except (SetUpError, subprocess.SubprocessError) as error:
        print(f"set-up stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
