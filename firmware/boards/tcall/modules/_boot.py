"""MicroPython runs this first. Nothing is mounted at "/", so no file of the flash can stand in for a frozen module, and a
file system that cannot be read stops nothing here: the board mounts it (Board.flash), when the outputs are safe.
"""

import sys

sys.path[:] = [".frozen"]
