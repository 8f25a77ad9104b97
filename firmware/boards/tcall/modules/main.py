"""MicroPython runs this module after _boot.py. It starts the slot that the starter chooses, or the product that is frozen into
this image. It never leads to MicroPython's prompt: a failed start is repeated, and meanwhile the outputs are safe and the
light is red.

Starter and slots work as in a stock image (boards/stock, also frozen). The flashed product is part of the image, whose SHA-256
the ESP-IDF boot loader checks at each start. It is therefore intact if this module runs, and `rescue` is not needed.
"""

import os
import sys
import time

import micropython

micropython.kbd_intr(-1)  # Ctrl-C would lead to the prompt

import starter  # noqa: E402  (the line above must come first)
from stock import main as stock  # noqa: E402  (likewise)

FLASHED = "/flashed"  # file in the flash: version and day of the image to which the slots belong
FORGOTTEN = (starter.RECORD, "/update")  # removed after another image was flashed over the cable, which then runs
WHY = "the start has failed, and is tried again; if it fails each time, write the image again"
RETRY_MS = 2000  # a loop of failed starts stays readable on the console


class Esp32(stock.Esp32):
    """The port of the production image. Nothing is imported from the file system before a slot is chosen, so the file system
    is mounted at its final folder from the start.
    """

    root = stock.FLASH

    def mount(self):
        pass  # it is mounted already


def start():
    """Start the chosen slot, or else the frozen product; does not return. A product that ends is followed by a reset."""
    port = Esp32()
    try:
        mount()
        stock.start_slot(port, starter, lambda: choose(port))
    except OSError as error:  # the file system is not readable; the board formats it
        sys.print_exception(error)
    try:
        import firmware.main  # noqa: F401  # does not return
    except Exception as error:
        sys.print_exception(error)
    stock.refuse(stock.module("wires_tcall"), WHY)
    time.sleep_ms(RETRY_MS)
    port.reset()


def mount():
    """Mount the flash at stock.FLASH. Raises OSError."""
    import vfs
    from esp32 import Partition

    (partition,) = Partition.find(Partition.TYPE_DATA, label="vfs")
    vfs.mount(vfs.VfsLfs2(partition, progsize=stock.PROGRAM_BYTES), stock.FLASH)


def choose(port):
    """Return the result of starter.choose, or starter.BUILT_IN at the first start after another image was flashed."""
    mine, found = name_of_image(), _read(stock.FLASH + FLASHED)
    if mine == found:
        return starter.choose(port.root, port.cause())
    if found is None:  # no image is recorded yet; slots that exist belong to this image
        _write(stock.FLASH + FLASHED, mine)
        return starter.choose(port.root, port.cause())
    for name in FORGOTTEN:
        _remove(stock.FLASH + name)
    _write(stock.FLASH + FLASHED, mine)  # last, so that an interrupted start repeats all of this
    return starter.BUILT_IN


def name_of_image():
    """Return the version and day of the frozen product. Its modules are unloaded: those of a slot have the same names."""
    from firmware.version import BUILT_S, VERSION

    for name in ("firmware.version", "firmware"):
        del sys.modules[name]
    return "%s %d" % (VERSION, BUILT_S)


def _read(path):
    """Return the content of a file, None if it cannot be read."""
    try:
        with open(path) as file:
            return file.read()
    except (OSError, ValueError):
        return None


def _write(path, text):
    try:
        with open(path, "w") as file:
            file.write(text)
    except OSError:
        pass  # a flash that cannot be written has no updates either


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # it does not exist


start()
