"""Checks for CBOR (RFC 8949) in the form that authenticators may use: complete items, without tags, and with little nesting.

The library that decodes it for us (cbor2) resolves tags. With tags 28 and 29, 119 bytes expand to 2 MB, and 200 bytes to more
than the memory of a machine. CTAP 2.1 (8, "Message encoding") allows neither tags nor indefinite lengths nor a depth of more
than four.
"""

DEPTH_MAX = 4
BYTES, TEXT, ARRAY, MAP, TAG = 2, 3, 4, 5, 6  # major types
WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}  # additional information -> length of the argument in bytes


def is_plain_cbor(data: bytes) -> bool:
    """Return True if the data are any number of such items in sequence. The meaning of the items is not checked."""
    at, left = 0, []  # number of missing items in each open array or map
    while at < len(data):
        kind, argument = data[at] >> 5, data[at] & 0x1F
        width = WIDTHS.get(argument, 0)
        if kind == TAG or argument > max(WIDTHS):
            return False
        if width:
            argument = int.from_bytes(data[at + 1 : at + 1 + width], "big")
        at += 1 + width + (argument if kind in (BYTES, TEXT) else 0)
        if at > len(data):
            return False
        if kind in (ARRAY, MAP) and argument:
            left.append(argument * 2 if kind == MAP else argument)
            if len(left) > DEPTH_MAX:
                return False
            continue
        while left:
            left[-1] -= 1
            if left[-1]:
                break
            left.pop()
    return not left
