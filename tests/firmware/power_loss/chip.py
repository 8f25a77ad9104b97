"""A flash chip in memory that logs its changes, and the images that power cuts may leave."""

BLOCK_BYTES = 4096
BLOCKS = 40  # few, so that an image is copied quickly
ERASED = b"\xff" * BLOCK_BYTES


class Chip:
    """MicroPython's extended block device protocol over a bytearray. `log` contains every change, in order.

    An entry is (block, offset, bytes): a programming, or an erasure if offset is None. The entry None is a sync: everything
    before it is on the flash before anything after it.
    """

    def __init__(self, image=None):
        self.image = image or bytearray(ERASED * BLOCKS)
        self.log = []

    def readblocks(self, block, buffer, offset=0):
        start = block * BLOCK_BYTES + offset
        buffer[:] = self.image[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        self._change((block, offset, bytes(buffer)))

    def ioctl(self, operation, argument):
        if operation == 3:  # sync
            self.log.append(None)
        elif operation == 4:
            return BLOCKS
        elif operation == 5:
            return BLOCK_BYTES
        elif operation == 6:  # erase
            self._change((argument, None, ERASED))
        return 0

    def _change(self, entry):
        self.log.append(entry)
        apply(self.image, entry)


def apply(image, entry):
    """Apply a log entry. Programming can only clear bits, as on NOR flash; only an erasure sets them."""
    if entry is None:
        return
    block, offset, data = entry
    start = block * BLOCK_BYTES + (offset or 0)
    if offset is None:
        image[start : start + len(data)] = data
    else:
        for number, byte in enumerate(data):
            image[start + number] &= byte


def half(entry):
    """Return the entry as left by a power cut in its middle."""
    block, offset, data = entry
    return (block, offset, data[: len(data) // 2])


def leftovers(log):
    """For every prefix of the log, yield the images that a cut may leave, as (number, how, image).

    `whole`: the whole prefix. `half`: only half of its last change. `swapped`: its last change but not the one before, unless
    a sync forbids that order. The caller may modify the images.
    """
    image = bytearray(ERASED * BLOCKS)
    before = None  # the image without the last change
    for number in range(len(log) + 1):
        entry = log[number - 1] if number else None
        if entry is not None:
            torn = bytearray(image)
            apply(torn, half(entry))
            yield number, "half", torn
            if before is not None:
                apply(before, entry)
                yield number, "swapped", before
            before = bytearray(image)
            apply(image, entry)
        else:
            before = None
        yield number, "whole", bytearray(image)
