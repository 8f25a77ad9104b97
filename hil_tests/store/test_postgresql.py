"""Does the store do on a real PostgreSQL what it does on SQLite? The same tests, run again over there."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.children import die_with_parent
from hil_tests.ingest.house import CHECKOUT, free_port

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # where Debian puts them
USER = "postgres"  # PostgreSQL refuses to run as root
WITHIN_S = 20.0
SUITE = [
    "test_store.py",
    "test_alone.py",
    "test_access.py",
    "test_history.py",
    "test_personal.py",
    "vehicles/test_vault.py",
    "vehicles/test_refreshing.py",
    "vehicles/test_leaving.py",
]


def _as_user(words: list[str]) -> list[str]:
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *words] if os.getuid() == 0 else words


@pytest.fixture
def server() -> Iterator[str]:
    """The URL of a fresh server on a free port."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    binaries, port = BINARIES[-1], free_port()
    folder = Path(tempfile.mkdtemp(prefix="chargekeeper-postgresql-"))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, USER, USER)
        cluster = folder / "cluster"
        make = [str(binaries / "initdb"), "--pgdata", str(cluster), "--username", USER, "--auth", "trust", "--no-sync"]
        subprocess.run(_as_user(make), check=True, capture_output=True, cwd=folder)
        serve = [str(binaries / "postgres"), "-D", str(cluster), "-p", str(port), "-k", str(folder), "-F"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(_as_user(serve), stdout=log, stderr=log, cwd=folder, preexec_fn=die_with_parent)
        try:
            ready = [str(binaries / "pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
            give_up_s = time.monotonic() + WITHIN_S
            while subprocess.run(ready, capture_output=True).returncode != 0:
                assert time.monotonic() < give_up_s, (folder / "log").read_text()
                time.sleep(0.1)
            yield f"postgresql://{USER}@127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(WITHIN_S)
    finally:
        shutil.rmtree(folder)


@pytest.mark.timeout(300)  # half a minute where nobody else works
def test_the_store_suite_holds_on_postgresql(server: str) -> None:
    suite = [str(CHECKOUT / "tests" / "cloud_bridge" / name) for name in SUITE]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *suite],
        cwd=CHECKOUT,
        env=os.environ | {"CHARGEKEEPER_TEST_POSTGRESQL": server},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]
