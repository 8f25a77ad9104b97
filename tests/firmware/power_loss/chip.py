"""A flash chip in memory that logs what is written to it, and chips as a power cut would have left them."""

BLOCK_BYTES = 4096
BLOCKS = 40  # few, so that an image is quickly copied
ERASED = b"\xff" * BLOCK_BYTES


class Chip:
    """MicroPython's extended block device protocol over a bytearray. `log` holds every change, in order.

    An entry is (block, offset, bytes): a programming, or an erasing where offset is None. None marks a sync: what
    stands before it is on the flash before anything behind it.
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
    """Do what a log entry says. Programming can only clear bits, as on NOR flash: setting them again takes an erase."""
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
    """The entry as it stands when the power goes in the middle of it."""
    block, offset, data = entry
    return (block, offset, data[: len(data) // 2])


def leftovers(log):
    """For every prefix of the log, the images that a cut there may leave: yields (number, how, image).

    `whole`: all of the prefix. `half`: its last change only half done. `swapped`: its last change done and the one
    before it not, where no sync forbids that order. The images belong to the caller.
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
