"""Whether bytes are CBOR (RFC 8949) as authenticators may write it: whole items, without tags, nested a few deep.

The library that reads them for us (cbor2) follows tags, and with tags 28 and 29 119 bytes become 2 MB, 200 bytes more than the
memory of a machine. CTAP 2.1 (8, "Message encoding") allows neither tags nor indefinite lengths nor a depth beyond four.
"""

DEPTH_MAX = 4
BYTES, TEXT, ARRAY, MAP, TAG = 2, 3, 4, 5, 6  # major types
WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}  # additional information: how many bytes the argument has


def is_plain_cbor(data: bytes) -> bool:
    """Of any number of items, one after the other. What the items mean is not looked at."""
    at, left = 0, []  # of each array or map that is open: how many items are to come
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
