"""MicroPython runs this module first. It mounts nothing at "/", so that no file of the flash can replace a frozen module, and
an unreadable file system does not prevent the start. The board mounts the file system later (Board.flash), when the outputs
are safe.
"""

import sys

sys.path[:] = [".frozen"]
