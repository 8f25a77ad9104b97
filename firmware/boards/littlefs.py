"""The file system of a board: mounts it, and formats it if it cannot be read."""

import vfs

from firmware.boards.board import PROGRAM_BYTES

if False:  # for mypy alone
    from typing import Any


def mount(device: "Any", folder: str) -> bool:
    """Mount the littlefs of `device` at `folder`, replacing a mount by the starter. Return whether it had to be formatted,
    because it was erased or not readable.

    If the chip cannot be formatted either, nothing is mounted: every write fails, and the unit charges without the flash.
    """
    try:
        vfs.umount(folder)
    except OSError:
        pass  # nothing was mounted: there was no starter
    try:
        vfs.mount(vfs.VfsLfs2(device, progsize=PROGRAM_BYTES), folder)
        return False
    except OSError:
        pass  # not readable: format it
    try:
        vfs.VfsLfs2.mkfs(device)
        vfs.mount(vfs.VfsLfs2(device, progsize=PROGRAM_BYTES), folder)
    except OSError:
        pass  # see above: the unit charges without the flash
    return True
