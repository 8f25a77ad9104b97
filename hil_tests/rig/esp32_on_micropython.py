"""Run in place of firmware.main on MicroPython: the same firmware, on a port that behaves like an ESP32's.

`... esp32_on_micropython FOLDER RESET_CAUSE MANNERS`: MANNERS are names from manners.py, separated by commas. A stall
stops the whole process: the process prints for how long, and its parent (processor.py) continues it.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="attr-defined, import-not-found, assignment, method-assign"
# (MicroPython has no typing module, its modules have more attributes than CPython's, and the replacements are
# intended.)

import io
import os
import random
import sys
import time

import ffi
import tls

from firmware.boards import flash_image, virtual
from modem.ports import unix_tty

MANNERS = sys.argv.pop(3).split(",")
SIGSTOP = 19  # Linux, <signal.h>
CURVE_MS = 150, 330  # the longest of the four blocks of curve arithmetic in a handshake; the others take BLOCK_MS
BLOCK_MS = 30, 150
ERASE_MS = 45, 300  # GD25Q16, a sector of 4 kB
UART_FIFO_BYTES = 256  # a longer write waits for the line and holds the lock
UART_BYTES_PER_MS = 11  # at 115,200 baud
NO_CIPHER = -24192  # MBEDTLS_ERR_SSL_BAD_CONFIG, which set_ciphers raises for an unknown name
ERASE = 6  # operation number of the block device protocol

_libc = ffi.open(None)
_kill = _libc.func("i", "kill", "ii")
_getpid = _libc.func("i", "getpid", "")


def stall(bounds_ms, why):
    if "stalls" in MANNERS:
        sys.stdout.write(f"stall {random.randint(*bounds_ms)} {why}\n")
        _kill(_getpid(), SIGSTOP)


class Pipe(io.IOBase):
    """A stream for a TLS handshake that stalls where the arithmetic would run."""

    def __init__(self, stream):
        self._stream = stream
        self.blocks = [BLOCK_MS, CURVE_MS, BLOCK_MS]  # one block before each further step of the handshake

    def _compute(self):
        if self.blocks:
            stall(self.blocks.pop(), "TLS")

    def readinto(self, buffer):
        self._compute()
        return self._stream.readinto(buffer)

    def write(self, data):
        self._compute()
        return self._stream.write(data)

    def ioctl(self, request, argument):
        return self._stream.ioctl(request, argument)


class Context:
    """tls.SSLContext with the ESP32's manners."""

    def __init__(self, protocol):
        self._context = tls.SSLContext(protocol)

    def __setattr__(self, name, value):
        super().__setattr__(name, value) if name == "_context" else setattr(self._context, name, value)

    def __getattr__(self, name):
        return getattr(self._context, name)

    def set_ciphers(self, names):
        if "tls_1_2" in MANNERS and [name for name in names if name.startswith("TLS1-3")]:
            raise OSError(NO_CIPHER, "MBEDTLS_ERR_SSL_BAD_CONFIG")
        self._context.set_ciphers(names)

    def wrap_socket(self, stream, **options):
        pipe = Pipe(stream)
        stall(BLOCK_MS, "TLS")
        wrapped = self._context.wrap_socket(pipe, **options)
        pipe.blocks = []
        return wrapped


class Tls:
    """The module `tls` that the firmware imports."""

    SSLContext = Context

    def __getattr__(self, name):
        return getattr(tls, name)


def ioctl(image, operation, argument):
    if operation == ERASE:
        stall(ERASE_MS, "erase")
    return plain_ioctl(image, operation, argument)


def write(port, data):
    ms = (len(data) - UART_FIFO_BYTES) // UART_BYTES_PER_MS
    if ms > 0:
        stall((ms, ms), "UART")
    plain_write(port, data)


def set_time(board, time_s):
    """Set the clock that libfaketime shows to the process: an offset in seconds from the computer's clock.

    The other thread may read the file at any moment, and libfaketime ends the process if it reads half an offset:
    rename.
    """
    clock = sys.argv[1] + "/clock"
    with open(clock) as file:
        shown_s = int(file.read())
    with open(clock + ".new", "w") as file:
        file.write(f"{time_s - int(time.time()) + shown_s:+d}\n")
    os.rename(clock + ".new", clock)


class Machine:
    """The module `machine` of an ESP32, which reports a brown-out as power-on."""

    PWRON_RESET, HARD_RESET, WDT_RESET = 1, 2, 3

    def reset_cause(self):
        return {"power_on": self.PWRON_RESET, "soft": self.HARD_RESET, "watchdog": self.WDT_RESET}[sys.argv[2]]


def reset_cause():
    """Return the firmware's finding of the reset cause, as boards/tcall.py does. A virtual board's image lacks the module."""
    sys.path.append(__file__.rsplit("/", 3)[0] + "/firmware/boards")
    import esp32_reset

    sys.path.pop()
    with open(sys.argv[1] + "/reset_register") as file:
        return esp32_reset.cause(Machine(), int(file.read()), esp32_reset.ASKED)


if "hidden_brown_out" in MANNERS:
    sys.argv[2] = reset_cause()
sys.modules["tls"] = Tls()
plain_ioctl, flash_image.FlashImage.ioctl = flash_image.FlashImage.ioctl, ioctl
plain_write, unix_tty.Port.write = unix_tty.Port.write, write
if "clock_2000" in MANNERS:
    virtual.VirtualBoard.set_time = set_time

import firmware.main  # noqa: E402, F401  # it never returns
