"""The MicroPython heap that parser, client and stream hold while they read 1,460 bytes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LIMIT_BYTES = 12_000


def run() -> bool:
    """Measure and print the heap. Return True if the limit holds."""
    done = subprocess.run(
        [Path(sys.prefix) / "bin" / "micropython", "hil_tests/bench/modem/heap_on_micropython.py"],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": ".frozen:."},
        capture_output=True,
        text=True,
        check=True,
    )
    held = int(done.stdout.split()[-1])
    print(f"heap: parser, client and stream hold {held:,} bytes while reading 1,460, hold {LIMIT_BYTES:,}")
    return held <= LIMIT_BYTES
