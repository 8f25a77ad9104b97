"""Run in place of firmware.main on MicroPython: main.py of a stock board (boards/stock) on the virtual board.

`... slots_on_micropython FOLDER RESET_CAUSE KEYS`: it starts the slot that the starter chooses on the flash of FOLDER,
or the product of the image, or refuses. It accepts updates signed with one of the public keys KEYS, which are separated
by commas.

FOLDER/skipped_ms makes the main thread's clock skip time: the file holds the total in ms. The control thread's clock is
unchanged, so its loop is not late. A test need not wait the hours that a trial or a report takes.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="attr-defined, import-not-found, assignment"
# (MicroPython has no typing module, its modules have more attributes than CPython's, and the replacements are
# intended.)

import builtins
import gc
import json
import sys
import time

import ffi

from firmware.boards.flash_image import FlashImage
from modem.ports.unix_tty import Port

FLASH = "/flash"
RED = (64, 0, 0)  # steady: a fault that needs a person
STAY_MS = 2000
KEYS_MODULE, CLOCK_MODULE = "firmware.update.keys", "firmware.clock"
LOOK_MS = 200
EXIT_CRASH = 1  # the rig reports it as a reset by the watchdog

keys = tuple(sys.argv.pop(3).split(","))
imported = builtins.__import__


def with_changes(name, *more):
    is_new = name not in sys.modules
    module = imported(name, *more)
    if name == KEYS_MODULE:
        sys.modules[name].KEYS = keys
    elif name == CLOCK_MODULE and is_new:
        let_skip(sys.modules[name].Clock)
    return module


def let_skip(clock_class):
    """Make clocks with an idle function, which only the main thread's have, skip what the file says."""
    now_ms = clock_class.now_ms
    skipped_ms, looked = read_skipped_ms(), time.ticks_ms()

    def skipping_now_ms(clock):
        nonlocal skipped_ms, looked
        if clock.idle and time.ticks_diff(time.ticks_ms(), looked) >= LOOK_MS:
            looked, before_ms = time.ticks_ms(), skipped_ms
            skipped_ms = read_skipped_ms()
            clock._now_ms += skipped_ms - before_ms
        return now_ms(clock)

    clock_class.now_ms = skipping_now_ms


def read_skipped_ms():
    try:
        with open(sys.argv[1] + "/skipped_ms") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0  # not there yet, or being written


class VirtualPort:
    """The counterpart of main.Esp32 on a board."""

    root = FLASH
    home = "/rom"  # where boot.py has mapped the image

    def cause(self):
        return sys.argv[2]

    def mount(self):
        pass  # the starter has mounted it where the product looks for it

    def watch(self):
        pass  # a process that ends is restarted, and the product arms the rig's watchdog

    def reset(self):
        ffi.open(None).func("v", "_exit", "i")(EXIT_CRASH)


class VirtualWires:
    """The counterpart of a board's wires.py: the lines of hil_tests/rig/wires.py."""

    def __init__(self):
        self._pins = {"pilot_duty_u16": 0, "contactor": False, "led": (0, 0, 0), "rcd_test": False, "watchdog": 0}
        self._pins.update({"modem_power": False, "modem_pwrkey": False})

    def make_safe(self):
        self._tell()

    def show_red(self):
        self._pins["led"] = RED
        self._tell()

    def _tell(self):
        with open(sys.argv[1] + "/wires", "r+b") as line:
            line.write(json.dumps(self._pins).encode() + b"\n")


def stay(line):
    """Stand in for MicroPython's prompt: send the line as a remark to whoever types."""
    console = Port(sys.argv[1] + "/console")
    while True:
        console.write(b"# " + line.encode() + b"\r\n")
        console.wait(STAY_MS)
        console.read()


FlashImage(sys.argv[1] + "/flash.bin").mount(FLASH)
# Import the modules to start again, from their own place.
for name in [name for name in sys.modules if name.split(".")[0] == "firmware"]:
    del sys.modules[name]
del FlashImage
gc.collect()
builtins.__import__ = with_changes
sys.path.append(__file__.rsplit("/", 3)[0] + "/firmware/boards/stock")
import main  # noqa: E402  # of a stock board

stay(main.start(VirtualPort(), VirtualWires()))
