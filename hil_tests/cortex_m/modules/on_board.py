"""Run first on the machine: the image at "/", a littlefs at "/build" and "/flash", as tests and firmware expect.

The littlefs is in memory outside MicroPython's heap, so it takes nothing of the heap that is measured.
"""

import uctypes
import vfs

BLOCK_BYTES = 4096
BLOCKS = 256  # 1 MB, as in firmware/boards/flash_image.py


class Disk:
    """MicroPython's extended block device protocol."""

    def __init__(self, address):
        self._bytes = memoryview(uctypes.bytearray_at(address, BLOCKS * BLOCK_BYTES))

    def readblocks(self, block, buffer, offset=0):
        start = block * BLOCK_BYTES + offset
        buffer[:] = self._bytes[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * BLOCK_BYTES + offset
        self._bytes[start : start + len(buffer)] = buffer

    def ioctl(self, operation, argument):
        if operation == 4:  # number of blocks
            return BLOCKS
        return BLOCK_BYTES if operation == 5 else 0


def mount(address, folder):
    """Mount a new littlefs at `folder`."""
    disk = Disk(address)
    vfs.VfsLfs2.mkfs(disk, progsize=128)
    vfs.mount(vfs.VfsLfs2(disk, progsize=128), folder)
