"""The starter of a stock image: MicroPython runs it from the root of the board's own file system.

`make flash` writes it once, with starter.py and the board's wires beside it, the compiled files of one version in
/chargekeeper and, last of all, their list. It starts the slot that starter.py chooses; if that is none, what was flashed, if
the list is there and every file is what it says; if that is damaged, any slot that is whole. If nothing can be started it
refuses: all outputs as they are safe, the light red, one line on the console, and MicroPython's prompt, so that the copy can
be repaired over the cable. It has no network. The product never writes these files.

    wires.py       what is soldered to the board (wires_tcall.py): make_safe(), show_red(); may be damaged too
    Esp32, below   the port of MicroPython; a rig has its own (hil_tests/rig/slots_on_micropython.py)
"""

import binascii
import json
import sys
import time

HOME = "/chargekeeper"
LIST = "files.json"  # {"version", "image", "mpy", "heap_bytes", "files": {name: CRC-32}}
FLASH, PROGRAM_BYTES = "/flash", 128  # where and how the board wants it (firmware/boards/board.py)
PIECE_BYTES = 512
START_WITHIN_MS = 30000  # of the watchdog, until the board of a slot arms it for itself
AGAIN_S = 10  # before a product that has ended by a mistake is tried again; Ctrl-C meanwhile gives the prompt
ASKED = b"reset "  # marks a restart that was asked for (firmware/boards/esp32_reset.py, which is the product's)
AGAIN = "; run `make flash` again"
BUILT_IN = "built_in"  # no slot (starter.py)
# What reading a damaged file may raise; RuntimeError and MemoryError are of JSON that is nested too deeply.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RuntimeError, MemoryError)


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
    except UNREADABLE:
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


class Esp32:
    """The port that a stock image is of."""

    root = ""  # where the file system is until `mount`
    home = HOME  # what was flashed, until then

    def cause(self):
        """ "watchdog" if the last run was ended by it, or by a panic, else "other": as starter.choose takes it."""
        import machine

        told = machine.reset_cause()
        asked = machine.RTC().memory()[: len(ASKED)] == ASKED
        return "watchdog" if told == machine.WDT_RESET or (told == machine.HARD_RESET and not asked) else "other"

    def mount(self):
        """The file system goes from the root to where the product looks for it, before anything is imported: a package
        remembers the folder that it came from, and what it imports later must still be there.
        """
        import vfs
        from esp32 import Partition

        (partition,) = Partition.find(Partition.TYPE_DATA, label="vfs")
        vfs.umount("/")
        vfs.mount(vfs.VfsLfs2(partition, progsize=PROGRAM_BYTES), FLASH)
        sys.path[:] = [FLASH + HOME, ".frozen"]

    def watch(self):
        """Start the watchdog."""
        import machine

        machine.WDT(timeout=START_WITHIN_MS)

    def reset(self):
        import machine

        machine.reset()


def start(port, wires):
    """Start what can be started, for ever; or refuse, and return why. Every start that ends is followed by a reset. `wires`
    is None where their file is damaged.
    """
    starter = module("starter")
    if starter:
        start_slot(port, starter, lambda: starter.choose(port.root, port.cause()))
    why = complaint(port.home)
    if why is None:
        return _start_flashed(port, wires)
    if starter:
        start_slot(port, starter, lambda: starter.rescue(port.root))
        why = "no slot is whole, and " + why
    refuse(wires, why)
    return why


def module(name):
    """One of the files beside this one; None if it is not there, or damaged."""
    try:
        return __import__(name)
    except Exception as error:
        sys.print_exception(error)
        return None


def start_slot(port, starter, choose):
    """Start the slot that `choose` returns, for ever; return if that is none."""
    try:
        slot = choose()
    except Exception as error:  # a mistake of ours in what cannot be updated, or damage: what was flashed still charges
        sys.print_exception(error)
        return
    if slot == BUILT_IN:
        return
    port.watch()
    try:
        port.mount()
        starter.enter(FLASH, slot)
        import firmware.main  # noqa: F401  # runs for ever
    except Exception as error:
        sys.print_exception(error)
    try:
        starter.blame(FLASH, "panic")
    except Exception as error:  # likewise
        sys.print_exception(error)
    port.reset()


def _start_flashed(port, wires):
    try:
        port.mount()
        import firmware.main  # noqa: F401  # runs for ever
    except Exception as error:
        sys.print_exception(error)
    refuse(wires, "what was flashed has ended by a mistake; it is started again in %d s" % AGAIN_S)
    time.sleep(AGAIN_S)
    port.reset()


def refuse(wires, why):
    """Nothing charges: outputs safe, light red, and the reason on the console. Raises nothing."""
    for name in ("make_safe", "show_red") if wires else ():
        try:
            getattr(wires, name)()
        except Exception as error:  # the line is all that there is; a reset has left the outputs safe
            sys.print_exception(error)
    print("chargekeeper: " + why)


if __name__ == "__main__":
    start(Esp32(), module("wires"))
