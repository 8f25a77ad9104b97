"""Does the virtual board's flash wait for the computer's disk? Its control loop would stand still with it."""

from pathlib import Path
from typing import Any

from firmware.boards.flash_image import BLOCK_BYTES, FlashImage

SYNC = 3  # of the block device protocol


class Watched:
    """The open file, and what is asked of it."""

    def __init__(self, file: Any) -> None:
        self._file, self.asked = file, []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._file, name)


def test_a_sync_waits_for_no_disk(tmp_path: Path) -> None:
    flash = FlashImage(str(tmp_path / "flash.bin"))
    watched = flash._image = Watched(flash._image)
    flash.writeblocks(1, b"x" * BLOCK_BYTES)
    assert flash.ioctl(SYNC, 0) == 0
    assert watched.asked == ["seek", "write"]  # on MicroPython's unix port, flush() is fsync(2)
