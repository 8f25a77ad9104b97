"""Run on MicroPython with `FOLDER "" CAUSE CHIP LOG`: the unit of stub_on_micropython.py, recording its flash writes.

LOG gets every change of the chip as a line: `w BLOCK OFFSET HEX` for a programming, `e BLOCK` for an erasure; and `m`
when the chip is mounted. A vehicle leaves once, so that a session is stored besides what is typed.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-subclassing-any, disable-error-code="import-not-found, method-assign"
# (MicroPython has no typing module, and the replacements are intended.)

import binascii
import sys

import stub_on_micropython as stub

from firmware.boards.flash_image import FlashImage

ERASE = 6  # operation number of the block device protocol
PLUGGED_MS, UNPLUGGED_MS = 1200, 300

log = open(sys.argv.pop(5), "wb")  # noqa: SIM115  # open as long as the unit runs
plain_writeblocks, plain_ioctl, plain_mount = FlashImage.writeblocks, FlashImage.ioctl, FlashImage.mount


def writeblocks(image, block, buffer, offset=0):
    log.write(b"w %d %d %s\n" % (block, offset, binascii.hexlify(buffer)))
    plain_writeblocks(image, block, buffer, offset)


def ioctl(image, operation, argument):
    if operation == ERASE:
        log.write(b"e %d\n" % argument)
    return plain_ioctl(image, operation, argument)


def mount(image, folder):
    formatted = plain_mount(image, folder)
    log.write(b"m\n")
    return formatted


class BusyBoard(stub.StubBoard):
    """A board whose vehicle is unplugged briefly, once.

    After a third closing within minutes the contactor rests, also if the unit starts after a cut
    (firmware/charging/contactor_rest.py).
    """

    def read(self, inputs):
        super().read(inputs)
        since_ms = 0 if self.charged_ms is None else self.clock.now_ms() - self.charged_ms
        if PLUGGED_MS <= since_ms < PLUGGED_MS + UNPLUGGED_MS:
            inputs.pilot_high_mv = 12000


FlashImage.writeblocks, FlashImage.ioctl, FlashImage.mount = writeblocks, ioctl, mount
stub.GIVE_UP_MS = 60000
stub.start(BusyBoard)
