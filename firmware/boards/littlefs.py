"""The file system of a board: mounted, and made anew where there is none that can be read."""

import vfs

from firmware.boards.board import PROGRAM_BYTES

if False:  # for mypy alone
    from typing import Any


def mount(device: "Any", folder: str) -> bool:
    """Mount the littlefs of `device` at `folder`, in place of what a starter has mounted there to choose a slot. Returns
    whether it had to be formatted, being erased or not readable.

    A chip that takes no format either is not mounted: whatever is to be stored fails, and the unit charges without it.
    """
    try:
        vfs.umount(folder)
    except OSError:
        pass  # there was no starter
    try:
        vfs.mount(vfs.VfsLfs2(device, progsize=PROGRAM_BYTES), folder)
        return False
    except OSError:
        pass  # as said above
    try:
        vfs.VfsLfs2.mkfs(device)
        vfs.mount(vfs.VfsLfs2(device, progsize=PROGRAM_BYTES), folder)
    except OSError:
        pass  # as said above
    return True
