"""The names of the latched faults in memory that outlives a reset and not a loss of the supply (Board.keep_latched).

What is there is the newest that is known, also that none is latched. What is no such mark, because the supply was lost or a
dip of it has damaged the memory, tells nothing, and the checkpoint on the flash stands (persistence.py).
"""

from firmware.charging.faults import NEEDS_PERSON

NONE = b"none"


def encode(names: "tuple[str, ...]") -> bytes:
    return " ".join(names).encode() or NONE


def decode(mark: bytes) -> "tuple[str, ...] | None":
    """The names, or None if `mark` is none."""
    if mark == NONE:
        return ()
    words = mark.split(b" ")
    names = tuple(name for name in NEEDS_PERSON if name.encode() in words)
    return names if len(names) == len(words) else None
