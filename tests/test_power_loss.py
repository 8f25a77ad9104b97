"""Does the outbox keep what it promised when the power goes? A sample here; every cut in `make power-loss`."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
MICROPYTHON = ROOT / ".venv" / "bin" / "micropython"
EVERY = "7"  # cuts; a number that shares no rhythm with the scenario


def test_a_sample_of_the_cuts() -> None:
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=16M", "tests/firmware/power_loss/run.py", EVERY],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": ".frozen:."},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
