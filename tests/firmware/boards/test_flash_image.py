"""Does the virtual board's flash never wait for the computer's disk, which would stop its control loop?"""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
MICROPYTHON = ROOT / ".venv" / "bin" / "micropython"
# flush() is fsync(2) on MicroPython's unix port.
PROGRAM = """
import sys
from firmware.boards.flash_image import BLOCK_BYTES, FlashImage

SYNC = 3  # of the block device protocol

class Watched:
    def __init__(self, file):
        self.file = file

    def __getattr__(self, name):
        print(name, end=" ")
        return getattr(self.file, name)

flash = FlashImage(sys.argv[1])
flash._image = Watched(flash._image)
flash.writeblocks(1, b"x" * BLOCK_BYTES)
print(flash.ioctl(SYNC, 0))
"""


def test_a_sync_waits_for_no_disk(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [MICROPYTHON, program, tmp_path / "flash.bin"],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": ".frozen:."},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["seek", "write", "0"], done.stdout + done.stderr
