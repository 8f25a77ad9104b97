"""The names of the latched faults in memory that outlives a reset and not a loss of the supply (Board.keep_latched).

What is there is the newest that is known, also that none is latched. What is no such mark, because the supply was lost or a
dip of it has damaged the memory, tells nothing, and the checkpoint on the flash stands (persistence.py).
"""

from firmware.charging.faults import NEEDS_PERSON


def encode(faults: "tuple[str, ...]") -> bytes:
    return " ".join(name for name in NEEDS_PERSON if name in faults).encode() or b"none"


def decode(mark: bytes) -> "tuple[str, ...] | None":
    """The names, or None if `mark` is none."""
    if mark == encode(()):
        return ()
    words = mark.split(b" ")
    names = tuple(name for name in NEEDS_PERSON if name.encode() in words)
    return names if len(names) == len(words) else None
