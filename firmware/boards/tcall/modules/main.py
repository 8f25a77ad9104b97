"""MicroPython runs this after _boot.py: it starts the slot that the starter chooses, else what is frozen into this image.
There is no way to its prompt: a start that fails is tried again, and meanwhile the outputs are safe and the light is red.

Starter and slots are those of a stock image (boards/stock, frozen too). What was flashed is part of the image, which ESP-IDF's
boot loader compares with its SHA-256 at each start: it is whole if this runs, so there is nothing that a slot could rescue.
"""

import os
import sys
import time

import micropython

micropython.kbd_intr(-1)  # Ctrl-C would lead to the prompt

import starter  # noqa: E402  (the line above must come first)
from stock import main as stock  # noqa: E402  (likewise)

FLASHED = "/flashed"  # in the flash: version and day of the image whose slots these are
FORGOTTEN = (starter.RECORD, "/update")  # if a cable has brought another image since: what was flashed is what runs
WHY = "the start has failed, and is tried again; if it fails each time, write the image again"
RETRY_MS = 2000  # a loop of failed starts stays readable on the console


class Esp32(stock.Esp32):
    """Nothing is imported from its file system before a slot is chosen, so it is mounted where the product looks for it."""

    root = stock.FLASH

    def mount(self):
        pass  # as said above


def start():
    """Start what can be started, for ever. Every start that ends is followed by a reset."""
    port = Esp32()
    try:
        mount()
        stock.start_slot(port, starter, lambda: choose(port))
    except OSError as error:  # nothing there that can be read: the board makes it anew
        sys.print_exception(error)
    try:
        import firmware.main  # noqa: F401  # runs for ever
    except Exception as error:
        sys.print_exception(error)
    stock.refuse(stock.module("wires_tcall"), WHY)
    time.sleep_ms(RETRY_MS)
    port.reset()


def mount():
    """Raises OSError."""
    import vfs
    from esp32 import Partition

    (partition,) = Partition.find(Partition.TYPE_DATA, label="vfs")
    vfs.mount(vfs.VfsLfs2(partition, progsize=stock.PROGRAM_BYTES), stock.FLASH)


def choose(port):
    """As starter.choose, but starter.BUILT_IN at the first start of another image than before."""
    mine, found = name_of_image(), _read(stock.FLASH + FLASHED)
    if mine == found:
        return starter.choose(port.root, port.cause())
    if found is None:  # of the first image: its slots are its own, if it has filled one already
        _write(stock.FLASH + FLASHED, mine)
        return starter.choose(port.root, port.cause())
    for name in FORGOTTEN:
        _remove(stock.FLASH + name)
    _write(stock.FLASH + FLASHED, mine)  # last: a start that is cut before it does all of this again
    return starter.BUILT_IN


def name_of_image():
    """Version and day of what is frozen, whose modules are forgotten again: those of a slot have the same names."""
    from firmware.version import BUILT_S, VERSION

    for name in ("firmware.version", "firmware"):
        del sys.modules[name]
    return "%s %d" % (VERSION, BUILT_S)


def _read(path):
    """None if there is no such file."""
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
        pass  # a flash that takes nothing takes no update either


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # it is not there


start()
