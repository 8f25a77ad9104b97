"""Run the first program of the production image with a chip in FOLDER/flash.bin, and print what it does.

micropython production_run.py run FOLDER CAUSE [WRITES]
    FOLDER/frozen is frozen beside it. CAUSE is one of CAUSES. The power is cut at flash write number WRITES.
micropython production_run.py lay FOLDER
    Format the chip, and copy the files of FOLDER/files to it.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

import os
import sys

import ffi
import vfs

ROOT = __file__.rsplit("/", 4)[0]
BOARDS = ROOT + "/firmware/boards"
PWRON_RESET, HARD_RESET, WDT_RESET = 1, 2, 3
CAUSES = {"power_on": (PWRON_RESET, b""), "watchdog": (WDT_RESET, b""), "asked": (HARD_RESET, b"reset ")}
EXIT_POWER = 9
FLASH, PROGRAM_BYTES = "/flash", 128
FOLDER_MODE = 0x4000


def make_chip(folder, writes=None):
    """Return the flash in `folder`. The power is cut at write number `writes`."""
    sys.path[:] = [ROOT, ".frozen"]
    from firmware.boards.flash_image import FlashImage

    for name in [name for name in sys.modules if name.split(".")[0] == "firmware"]:
        del sys.modules[name]

    class Chip(FlashImage):
        def writeblocks(self, block, buffer, offset=0):
            if self.writes == writes:
                ffi.open(None).func("v", "_exit", "i")(EXIT_POWER)
            super().writeblocks(block, buffer, offset)

    return Chip(folder + "/flash.bin")


class Machine:
    """MicroPython's module `machine` on an ESP32."""

    PWRON_RESET, HARD_RESET, WDT_RESET = PWRON_RESET, HARD_RESET, WDT_RESET

    def __init__(self, cause):
        self._told, self._memory = CAUSES[cause]

    def reset_cause(self):
        return self._told

    def RTC(self):  # noqa: N802  (the name that MicroPython has)
        return self

    def memory(self):
        return self._memory

    def WDT(self, timeout):  # noqa: N802  (likewise)
        print("watchdog")

    def reset(self):
        print("reset")
        sys.exit()


class Esp32:
    """MicroPython's module `esp32`."""

    TYPE_DATA = 1

    def __init__(self, chip):
        self.Partition = self
        self._chip = chip

    def find(self, kind, label):
        return [self._chip]


def run(folder, cause, writes=None):
    chip = make_chip(folder, int(writes) if writes else None)
    sys.modules["machine"], sys.modules["esp32"] = Machine(cause), Esp32(chip)
    sys.path[:] = [folder + "/frozen", BOARDS + "/stock", BOARDS]
    with open(BOARDS + "/tcall/modules/main.py") as file:
        exec(file.read(), {"__name__": "main"})


def lay(folder):
    chip = make_chip(folder)
    vfs.VfsLfs2.mkfs(chip)
    vfs.mount(vfs.VfsLfs2(chip, progsize=PROGRAM_BYTES), FLASH)
    copy(folder + "/files", FLASH)


def copy(source, target):
    for name, kind, *_ in os.ilistdir(source):
        if kind == FOLDER_MODE:
            os.mkdir(target + "/" + name)
            copy(source + "/" + name, target + "/" + name)
        else:
            with open(source + "/" + name, "rb") as file, open(target + "/" + name, "wb") as copied:
                copied.write(file.read())


{"run": run, "lay": lay}[sys.argv[1]](*sys.argv[2:])
