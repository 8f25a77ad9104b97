"""The names of the latched faults, encoded for memory that survives a reset but not a loss of the supply (Board.keep_latched).

A valid mark is the latest information, even if it says that no fault is latched. An invalid mark, because the supply was lost
or a dip has damaged the memory, is ignored; then the checkpoint on the flash applies (persistence.py).
"""

from firmware.charging.faults import NEEDS_PERSON


def encode(faults: "tuple[str, ...]") -> bytes:
    return " ".join(name for name in NEEDS_PERSON if name in faults).encode() or b"none"


def decode(mark: bytes) -> "tuple[str, ...] | None":
    """Return the names, or None if `mark` is not valid."""
    if mark == encode(()):
        return ()
    words = mark.split(b" ")
    names = tuple(name for name in NEEDS_PERSON if name.encode() in words)
    return names if len(names) == len(words) else None
