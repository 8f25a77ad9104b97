"""The flash of a board without a hardware guard: a block device in front of the chip that refuses an erase while charging.

An erase keeps every line of Python from running for up to 300 ms (boards/board.py). What would need one while the contactor
is closed fails with EAGAIN, as on a flash that is full: the outbox keeps its records in memory, the rest is counted and comes
with the next write. Programming a page takes a millisecond or two and goes on.
"""

import errno

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

ERASE = 6  # of the block device protocol


class UnguardedFlash:
    """`device` is a block device with offsets, such as esp32.Partition; `is_closed()` says whether the contactor is closed."""

    def __init__(self, device: "Any", is_closed: "Callable[[], bool]") -> None:
        self._device = device
        self._is_closed = is_closed
        self.refused = 0  # erases

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> "Any":
        return self._device.readblocks(block, buffer, offset)

    def writeblocks(self, block: int, buffer: bytes, offset: int = 0) -> "Any":
        return self._device.writeblocks(block, buffer, offset)

    def ioctl(self, operation: int, argument: int) -> "Any":
        if operation == ERASE and self._is_closed():
            self.refused += 1
            return -errno.EAGAIN
        return self._device.ioctl(operation, argument)
