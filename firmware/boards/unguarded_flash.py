"""The flash of a board without a hardware guard: a block device over the chip that refuses erases while charging.

An erase prevents any Python code from running for up to 300 ms (boards/board.py). While the contactor is closed, a write that
requires an erase therefore fails with EAGAIN, as if the flash were full. The outbox then holds its records in memory; other
writes are counted as failed and repeated later. Programming a page takes 1 to 2 ms and is allowed.
"""

import errno

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

ERASE = 6  # of the block device protocol


class UnguardedFlash:
    """`device`: a block device with offsets, such as esp32.Partition; `is_closed()`: whether the contactor is closed."""

    def __init__(self, device: "Any", is_closed: "Callable[[], bool]") -> None:
        self._device = device
        self._is_closed = is_closed
        self.refused = 0  # count of refused erases

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> "Any":
        return self._device.readblocks(block, buffer, offset)

    def writeblocks(self, block: int, buffer: bytes, offset: int = 0) -> "Any":
        return self._device.writeblocks(block, buffer, offset)

    def ioctl(self, operation: int, argument: int) -> "Any":
        if operation == ERASE and self._is_closed():
            self.refused += 1
            return -errno.EAGAIN
        return self._device.ioctl(operation, argument)
