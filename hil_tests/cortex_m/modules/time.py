"""MicroPython's time, with the calendar that the qemu port lacks: an ESP32's clock at its start, in 2000."""

import sys

_path, sys.path = sys.path, []
from time import *  # noqa: E402, F403  (the built-in module, which a module of the same name may extend)

sys.path = _path


def time():
    return 0


def gmtime(seconds=0):
    """Return the first day of 2000 for any argument: the result is not used for anything."""
    return (2000, 1, 1, 0, 0, 0, 5, 1)
