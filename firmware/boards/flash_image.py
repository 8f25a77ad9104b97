"""A flash chip in a file: the block device on which the virtual board mounts a real littlefs.

Written data survive the end of the process, which is how a rig simulates a power cut: nothing is buffered here. The file is
not synchronised with the computer's disk. A thread that waits for a busy disk handles no signal, and at the next garbage
collection the other thread waits for it: this stopped the control loop for a second.
"""

import os

from firmware.boards import littlefs

BLOCK_BYTES = 4096  # erase sector of the usual SPI flash
BLOCKS = 256  # 1 MB, the size of the file system on a 4 MB ESP32


class FlashImage:
    """MicroPython's extended block device protocol over a file with the size of the chip."""

    def __init__(self, path: str) -> None:
        try:
            os.stat(path)
        except OSError:
            with open(path, "wb") as image:
                for _ in range(BLOCKS * BLOCK_BYTES // 256):
                    image.write(b"\xff" * 256)
        self._image = open(path, "r+b")
        self.writes = 0  # program operations since the firmware started

    def mount(self, folder: str) -> bool:
        """Mount the littlefs of this chip at `folder`. Return whether it had to be formatted."""
        return littlefs.mount(self, folder)

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        self._image.seek(block * BLOCK_BYTES + offset)
        self._image.readinto(buffer)

    def writeblocks(self, block: int, buffer: bytes, offset: int = 0) -> None:
        self._image.seek(block * BLOCK_BYTES + offset)
        self._image.write(buffer)
        self.writes += 1

    def ioctl(self, operation: int, argument: int) -> int:
        if operation == 4:  # number of blocks
            return BLOCKS
        if operation == 5:  # bytes per block
            return BLOCK_BYTES
        # 1 initialise, 2 shut down, 3 sync, 6 erase: not needed for a file. littlefs programs a block only after an erase.
        return 0
