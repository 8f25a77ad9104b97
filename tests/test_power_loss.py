"""Do outbox, authorities and updates keep their promises when the power is cut?

For outbox and updates, only a sample of the cuts is tried here; `make power-loss` tries all.
"""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
MICROPYTHON = ROOT / ".venv" / "bin" / "micropython"
EVERY = "7"  # every n-th cut; n shares no factor with the scenario's rhythm
UPDATE_EVERY = "13"  # every n-th cut


def run(*script: str) -> None:
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=16M", *script],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": ".frozen:."},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_sample_of_the_cuts() -> None:
    run("tests/firmware/power_loss/run.py", EVERY)


def test_every_cut_of_a_change_of_the_authority_leaves_whole_certificates() -> None:
    run("tests/firmware/power_loss/authority.py")


def test_a_sample_of_the_cuts_in_the_life_of_an_update() -> None:
    run("tests/firmware/power_loss/update.py", UPDATE_EVERY)
