"""`boot.py IMAGE MODULE ...` on MicroPython: map a ROMFS image into memory and import a module from it.

`FOLDER/MODULE` names a module outside the image, such as a bench's, which imports the firmware from the image.
"""

import os
import sys

import ffi
import uctypes
import vfs

READ_ONLY, PROT_READ, MAP_PRIVATE = 0, 1, 2  # <fcntl.h>, <sys/mman.h>


def mount(image: str, folder: str) -> None:
    """Mount the image at `folder`. Its bytecode runs in place, outside the heap."""
    libc = ffi.open(None)
    descriptor = libc.func("i", "open", "si")(image, READ_ONLY)
    size = os.stat(image)[6]
    address = libc.func("p", "mmap", "pLiiil")(0, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    vfs.mount(vfs.VfsRom(uctypes.bytearray_at(address, size)), folder)


mount(sys.argv.pop(1), "/rom")
sys.path[:] = ["/rom", ".frozen"]
folder, _, module = sys.argv.pop(1).rpartition("/")
if folder:
    sys.path.append(folder)
__import__(module)
