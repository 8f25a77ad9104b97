"""How much memory is left, and in how large a piece: a heap with room in small pieces alone is full for a buffer."""

import gc

STEP = 8  # the largest piece is told to an eighth


def free() -> int:
    """Bytes, after a collection, which costs the control loop some milliseconds."""
    gc.collect()
    return gc.mem_free()


def largest_block() -> int:
    """Bytes of the largest piece that could be had, found by asking for it; each time it is refused costs a collection."""
    size = free()
    while size:
        try:
            bytearray(size)
            return size
        except MemoryError:
            size -= size // STEP + 1
    return 0
