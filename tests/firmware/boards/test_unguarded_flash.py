"""Does a flash without a guard never erase while the contactor is closed, and lose nothing because of that?"""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
MICROPYTHON = ROOT / ".venv" / "bin" / "micropython"


def test_no_erase_with_a_closed_contactor_and_no_record_lost() -> None:
    """On a real littlefs. It also checks that some erasures were refused."""
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=16M", "tests/firmware/boards/unguarded_run.py"],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": ".frozen:."},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    refused = re.fullmatch(r"well: \d+ records, (\d+) erases refused", said.strip())
    assert refused and int(refused[1]) > 0, said
