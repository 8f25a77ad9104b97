"""The starter of a stock image: MicroPython runs it from the root of the board's own file system.

`make flash` writes it once, with starter.py beside it, the compiled files of one version in /chargekeeper and, last of all,
their list. It starts the slot that starter.py chooses. If that is none, it starts what was flashed, if the list is there and
every file is what it says; else it prints one line, shows the red light and leaves MicroPython's prompt, with all outputs as a
reset left them: contactor open. The product never writes the two, so a bad copy can always be repaired over the cable.
"""

import binascii
import json
import sys

HOME = "/chargekeeper"
LIST = "files.json"  # {"version", "image", "mpy", "heap_bytes", "files": {name: CRC-32}}
FLASH, PROGRAM_BYTES = "/flash", 128  # where and how the board wants it (firmware/boards/board.py)
PIECE_BYTES = 512
START_WITHIN_MS = 30000  # of the watchdog, until the board of a slot arms it for itself
LIGHT, RED = 13, (64, 0, 0)  # pin of the T-Call's carrier (firmware/boards/tcall.py)
ASKED = b"reset "  # marks a restart that was asked for (firmware/boards/esp32_reset.py, which is the product's)
AGAIN = "; run `make flash` again"


def complaint(home=HOME, mpy=None, free_bytes=None):
    """Why the product in `home` cannot be started, as a line; None if it can. `mpy` is the version of compiled files that
    this MicroPython runs, `free_bytes` its free memory; None asks it.
    """
    try:
        with open(home + "/" + LIST) as file:
            made = json.load(file)
        version, image, files = made["version"], made["image"], dict(made["files"])
        needed_bytes, made_for_mpy = int(made["heap_bytes"]), int(made["mpy"])
    except OSError:
        return "the copy in %s is not complete%s" % (home, AGAIN)
    except (ValueError, KeyError, TypeError):
        return "%s/%s cannot be read%s" % (home, LIST, AGAIN)
    if mpy is None:
        mpy = getattr(sys.implementation, "_mpy", 0) & 0xFF
    if mpy != made_for_mpy:
        return "version %s was made for %s (.mpy files of version %d; this image runs %d)%s" % (
            version,
            image,
            made_for_mpy,
            mpy,
            "; flash that image",
        )
    if free_bytes is None:
        free_bytes = _free_bytes()
    if free_bytes < needed_bytes:
        return "version %s needs %d bytes of memory, and this image has %d; flash %s" % (
            version,
            needed_bytes,
            free_bytes,
            image,
        )
    for name in sorted(files):
        try:
            crc = _crc(home + "/" + name)
        except OSError:
            return "%s of version %s is missing%s" % (name, version, AGAIN)
        if crc != files[name]:
            return "%s is not that of version %s%s" % (name, version, AGAIN)
    return None


def _free_bytes():
    """What the heap has, and can still get: an ESP32's grows out of ESP-IDF's."""
    import gc

    gc.collect()
    try:
        from esp32 import HEAP_DATA, idf_heap_info

        return gc.mem_free() + sum(region[1] for region in idf_heap_info(HEAP_DATA))
    except ImportError:
        return gc.mem_free()


def _crc(path):
    crc = 0
    with open(path, "rb") as file:
        piece = file.read(PIECE_BYTES)
        while piece:
            crc = binascii.crc32(piece, crc)
            piece = file.read(PIECE_BYTES)
    return crc


def mount():
    """The board's file system goes from the root to where the product looks for it, before anything is imported: a package
    remembers the folder that it came from, and what it imports later must still be there.
    """
    import vfs
    from esp32 import Partition

    (partition,) = Partition.find(Partition.TYPE_DATA, label="vfs")
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(partition, progsize=PROGRAM_BYTES), FLASH)
    sys.path[:] = [FLASH + HOME, ".frozen"]


def cause():
    """ "watchdog" if the last run was ended by it, or by a panic, else "other": as starter.choose takes it."""
    import machine

    told = machine.reset_cause()
    asked = machine.RTC().memory()[: len(ASKED)] == ASKED
    return "watchdog" if told == machine.WDT_RESET or (told == machine.HARD_RESET and not asked) else "other"


def start_slot():
    """Start the slot that is to be started, for ever; return if that is none."""
    try:
        import starter
    except ImportError:
        return  # flashed before there was one
    try:
        slot = starter.choose("", cause())  # MicroPython has mounted the file system as its root
    except Exception as error:  # a mistake of ours in what cannot be updated: what was flashed still charges
        sys.print_exception(error)
        return
    if slot == starter.BUILT_IN:
        return
    import machine

    machine.WDT(timeout=START_WITHIN_MS)
    try:
        mount()
        starter.enter(FLASH, slot)
        import firmware.main  # noqa: F401  # runs for ever
    except Exception as error:
        sys.print_exception(error)
    starter.blame(FLASH, "panic")
    machine.reset()


def show_red():
    try:
        from machine import Pin
        from neopixel import NeoPixel

        light = NeoPixel(Pin(LIGHT, Pin.OUT), 1)
        light[0] = RED
        light.write()
    except (ImportError, OSError, ValueError):
        pass  # the line on the console is all that there is


def start():
    """Start the product, for ever; or say why not, and return."""
    start_slot()
    why = complaint()
    if why:
        print("chargekeeper: " + why)
        show_red()
        return
    mount()
    import firmware.main  # noqa: F401  # runs for ever


if __name__ == "__main__":
    start()
