"""`micropython fill_flash.py FLASH.bin`: fill a unit's flash to its last block, as other data could over years."""

import sys

from firmware.boards.flash_image import FlashImage

PIECE_BYTES = 4096

FlashImage(sys.argv[1]).mount("/flash")
try:
    with open("/flash/filler", "wb") as filler:
        while True:
            filler.write(b"x" * PIECE_BYTES)
            filler.flush()
except OSError:
    pass  # full
# Fill also the room for small files: each folder has room of its own beside its names.
for folder in ("/flash", "/flash/outbox"):
    for size in (400, 100, 10):
        for number in range(1000):
            try:
                with open("%s/small%d-%d" % (folder, size, number), "wb") as small:
                    small.write(b"x" * size)
            except OSError:
                break
