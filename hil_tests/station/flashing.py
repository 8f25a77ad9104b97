"""Writing of firmware: over a serial line to a real board, or into the folder of a virtual one."""

import shutil
from pathlib import Path

from firmware.version import VERSION
from hil_tests.rig import flash, image
from hil_tests.station.bring_up import RIG
from hil_tests.station.bring_up_walk import where_is
from hil_tests.station.errors import StationTrouble, UnitFailed
from hil_tests.station.virtual import IMAGE

FLASH = "flash.bin"  # the virtual board's file (firmware/boards/virtual.py)


def write_firmware(board: str, port: str, image_file: Path | None) -> str:
    """Write the product to the unit at `port`, without mains, and erase everything else on it. Return the version.

    Raises StationError.
    """
    try:
        if where_is(port) == RIG:
            _into_folder(board, port)
        else:
            _onto_board(board, port, image_file)
    except image.DoesNotCompile as error:
        raise StationTrouble(f"the firmware does not compile: {error}") from None
    return VERSION


def _onto_board(board: str, port: str, image_file: Path | None) -> None:
    """Write MicroPython's image first, which erases the unit: a unit that runs the firmware does not accept other programs."""
    if image_file is None:
        raise StationTrouble("station.toml has no `image`: name the image of MicroPython for this board")
    try:
        flash.flash(port, board, image_file)
    except flash.NotFlashed as error:
        raise UnitFailed(f"the firmware was not written: {error}") from None


def _into_folder(board: str, port: str) -> None:
    """Replace the files in the folder of the console's line, which is the virtual board's flash (virtual.py)."""
    folder, new = Path(port).parent, Path(port).parent / f"{IMAGE}.new"
    (folder / FLASH).unlink(missing_ok=True)
    shutil.copyfile(image.build(board), new)
    new.replace(folder / IMAGE)
