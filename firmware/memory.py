"""The free memory and its largest block. A buffer needs one block, so a fragmented heap may have no room for it."""

import gc

STEP = 8  # the largest block is determined to within one eighth


def free() -> int:
    """Return the free bytes after a collection, which delays the control loop by some milliseconds."""
    gc.collect()
    return gc.mem_free()


def largest_block() -> int:
    """Return the size in bytes of the largest block, found by allocation. Each failed attempt causes a collection."""
    size = free()
    while size:
        try:
            bytearray(size)
            return size
        except MemoryError:
            size -= size // STEP + 1
    return 0
