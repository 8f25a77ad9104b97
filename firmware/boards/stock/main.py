"""The starter of a stock image: MicroPython runs it from the root of the board's file system.

`make flash` writes it once, with starter.py and the board's wires beside it, the compiled files of one version in
/chargekeeper and, last, the list of these files. The starter starts the slot that starter.py chooses. If there is none, it
starts the flashed product, provided that the list exists and all files match it. If that is damaged, it starts any intact
slot. If nothing can be started, it sets all outputs to their safe state and the light to red, prints one line on the console,
and ends at MicroPython's prompt, so that the files can be repaired over the cable. It has no network. The product never writes
these files.

    wires.py       the wiring of the board (wires_tcall.py): make_safe(), show_red(); may be damaged too
    Esp32, below   the port of MicroPython; a rig has its own (hil_tests/rig/slots_on_micropython.py)
"""

import binascii
import json
import sys
import time

HOME = "/chargekeeper"
LIST = "files.json"  # {"version", "image", "mpy", "heap_bytes", "files": {name: CRC-32}}
FLASH, PROGRAM_BYTES = "/flash", 128  # as the board mounts it (firmware/boards/board.py)
PIECE_BYTES = 512
START_WITHIN_MS = 30000  # timeout of the watchdog until the board of a slot starts its own
AGAIN_S = 10  # before a product that ended by an exception is started again; Ctrl-C meanwhile leads to the prompt
ASKED = b"reset "  # marks a requested restart (firmware/boards/esp32_reset.py, which is part of the product)
AGAIN = "; run `make flash` again"
BUILT_IN = "built_in"  # no slot (starter.py)
# Exceptions from reading a damaged file; JSON that is nested too deeply raises RuntimeError or MemoryError.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RuntimeError, MemoryError)


def complaint(home=HOME, mpy=None, free_bytes=None):
    """Return a line that says why the product in `home` cannot be started; None if it can. `mpy`: version of .mpy files that
    MicroPython runs; `free_bytes`: its free memory; None for the actual values.
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
    """Return the free bytes of the heap, including those that it can still obtain: on an ESP32 it grows from ESP-IDF's."""
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
    """The port of MicroPython in a stock image."""

    root = ""  # mount point of the file system before `mount`
    home = HOME  # folder of the flashed product before `mount`

    def cause(self):
        """Return "watchdog" if the watchdog or a panic ended the last run, else "other", for starter.choose."""
        import machine

        told = machine.reset_cause()
        asked = machine.RTC().memory()[: len(ASKED)] == ASKED
        return "watchdog" if told == machine.WDT_RESET or (told == machine.HARD_RESET and not asked) else "other"

    def mount(self):
        """Move the file system from the root to the folder where the product expects it. This must precede all imports,
        because a package imports its modules later from the folder in which it was found.
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
    """Start a slot or the flashed product, and do not return; or refuse, and return why. A product that ends is followed by a
    reset. `wires`: the module, None if its file is damaged.
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
    """Import and return a module beside this file; None if it does not exist or is damaged."""
    try:
        return __import__(name)
    except Exception as error:
        sys.print_exception(error)
        return None


def start_slot(port, starter, choose):
    """Start the slot that `choose` returns, and do not return. Return only if there is no slot to start."""
    try:
        slot = choose()
    except Exception as error:  # a defect or damage of the starter: the flashed product can still charge
        sys.print_exception(error)
        return
    if slot == BUILT_IN:
        return
    port.watch()
    try:
        port.mount()
        starter.enter(FLASH, slot)
        import firmware.main  # noqa: F401  # does not return
    except Exception as error:
        sys.print_exception(error)
    try:
        starter.blame(FLASH, "panic")
    except Exception as error:  # the reset must follow in any case
        sys.print_exception(error)
    port.reset()


def _start_flashed(port, wires):
    try:
        port.mount()
        import firmware.main  # noqa: F401  # does not return
    except Exception as error:
        sys.print_exception(error)
    refuse(wires, "what was flashed has ended by a mistake; it is started again in %d s" % AGAIN_S)
    time.sleep(AGAIN_S)
    port.reset()


def refuse(wires, why):
    """Set safe outputs and a red light, and print the reason on the console. Raises nothing."""
    for name in ("make_safe", "show_red") if wires else ():
        try:
            getattr(wires, name)()
        except Exception as error:  # print the line in any case; the reset has left the outputs safe
            sys.print_exception(error)
    print("chargekeeper: " + why)


if __name__ == "__main__":
    start(Esp32(), module("wires"))
