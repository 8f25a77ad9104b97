"""`make cluster` and `make cluster-stop`: does everything run, is the end of a process shown, and does everything end?"""

import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hil_tests.cluster.layout import layout
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.postgresql import BINARIES
from hil_tests.rig.preconditions import SettingError, check_port

WITHIN_S = 300.0
COMMAND = [sys.executable, "-m", "hil_tests.cluster"]
PROCESS = re.compile(r"(\d+) (postgresql|n\d|(?:web|ingest|auth|upkeep)-\d)\b")


def until(condition: Callable[[], object], what: str, seen: Callable[[], str]) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}: {seen()}"
        time.sleep(0.1)


def free_range() -> int:
    """Return the first of enough consecutive free ports for a cluster, below the range of fixtures/ports.py."""
    for first in random.sample(range(10_000, 20_000, 50), 200):
        try:
            for port, what in layout(first).ports:
                check_port(port, what, "")
        except SettingError:
            continue
        return first
    raise AssertionError("no free ports")


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not BINARIES, reason="PostgreSQL is not installed: apt-get install postgresql")
@pytest.mark.timeout(900)  # twelve processes start, also on a busy machine
def test_it_runs_shows_who_ends_and_is_ended_alone(tmp_path: Path) -> None:
    output = tmp_path / "output"
    place = ["--folder", str(tmp_path / "cluster")]
    with output.open("wb") as stream:
        cluster = subprocess.Popen(
            [*COMMAND, *place, "--first-port", str(free_range())],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            preexec_fn=die_with_parent,
        )
    stranger = subprocess.Popen(["sleep", "600"], preexec_fn=die_with_parent)
    try:
        until(lambda: "Ctrl-C ends it" in output.read_text() or cluster.poll() is not None, "it runs", output.read_text)
        pids = {name: int(pid) for pid, name in PROCESS.findall(output.read_text())}
        assert len(pids) == 12 and all(map(lives, pids.values())), output.read_text()

        subprocess.run(["kill", "-9", str(pids["ingest-1"])], check=True)
        until(lambda: "ingest-1 (process" in output.read_text(), "the end of ingest-1 is shown", output.read_text)
        assert "killed by SIGKILL" in output.read_text()

        done = subprocess.run(
            [*COMMAND, *place, "--stop"], cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=WITHIN_S
        )
        assert done.stdout == "the cluster is stopped\n"
        assert cluster.wait(WITHIN_S) == 0
        assert not [name for name, pid in pids.items() if lives(pid)]
        assert stranger.poll() is None
    finally:
        cluster.kill()
        cluster.wait()
        stranger.kill()
        stranger.wait()
