"""A simulated modem on a real pty, in its own process, with a world that the test describes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
READY_WITHIN_S = 60

# Everything at a tenth of its usual time or less: what is asked here is what happens, not how long it takes.
QUICK = {
    "boot": [50, 100],
    "sim_ready": [20, 50],
    "register": [50, 100],
    "attach": [30, 60],
    "call_ready": [50, 100],
    "scan": [1500, 2000],
    "select": [100, 200],
}

SimulatedModem = Callable[..., Path]


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[SimulatedModem]:
    """Starts a modem in a world; returns the path of its port."""
    running: list[subprocess.Popen[str]] = []

    def start(seed: int = 1, **world: Any) -> Path:
        link, file = tmp_path / f"modem{len(running)}", tmp_path / f"world{len(running)}.json"
        world["latencies"] = {**QUICK, **world.get("latencies", {})}
        file.write_text(json.dumps(world))
        command = [sys.executable, "-m", "hil_tests.sim.modem", "--link", link, "--world", file, "--seed", str(seed)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("a "), "the simulator did not start"
        time.sleep(1)  # it boots and registers
        return link

    yield start
    for process in running:
        process.terminate()
        process.wait(READY_WITHIN_S)
        if process.stdout is not None:
            process.stdout.close()
