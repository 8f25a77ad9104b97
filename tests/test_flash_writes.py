"""How many flash writes does a day cause? On MicroPython, with a real littlefs on a chip that counts."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
MICROPYTHON = ROOT / ".venv" / "bin" / "micropython"


def test_a_day_and_a_charge_write_no_more_than_promised() -> None:
    """At most 50 at rest, and one in 5 minutes of charging?"""
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=16M", "tests/firmware/flash_day/run.py"],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": ".frozen:tests/on_micropython:.venv/micropython/lib:."},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
