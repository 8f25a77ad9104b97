"""Runs on MicroPython, in a unit, in place of firmware.main: what main.py in the root of a stock board is, on the virtual one.

`... slots_on_micropython FOLDER RESET_CAUSE KEYS`: it starts the slot that boards/stock/starter.py of the firmware chooses on
the flash of FOLDER, or the product of the image. It takes updates of the public keys KEYS, which have a comma between them.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="attr-defined, import-not-found, assignment"
# (MicroPython has no typing module, its modules have more in them, and what is replaced here is replaced on purpose.)

import builtins
import gc
import sys

import ffi

from firmware.boards.flash_image import FlashImage

FLASH = "/flash"
KEYS_MODULE = "firmware.update.keys"
EXIT_CRASH = 1  # to the rig a reset by the watchdog

keys = tuple(sys.argv.pop(3).split(","))
imported = builtins.__import__


def with_keys(name, *more):
    module = imported(name, *more)
    if name == KEYS_MODULE:
        sys.modules[name].KEYS = keys
    return module


def start():
    """For ever, or until the product ends by a mistake."""
    import starter

    slot = starter.choose(FLASH, sys.argv[2])
    print("slot", slot)
    try:
        if slot != starter.BUILT_IN:
            starter.enter(FLASH, slot)
        import firmware.main  # noqa: F401  # runs for ever
    except Exception as error:
        sys.print_exception(error)
    starter.blame(FLASH, "panic")
    ffi.open(None).func("v", "_exit", "i")(EXIT_CRASH)


FlashImage(sys.argv[1] + "/flash.bin").mount(FLASH)
# What runs is imported anew, from wherever it is to come.
for name in [name for name in sys.modules if name.split(".")[0] == "firmware"]:
    del sys.modules[name]
del FlashImage
gc.collect()
builtins.__import__ = with_keys
sys.path.append(__file__.rsplit("/", 3)[0] + "/firmware/boards/stock")
start()
