"""A fast path for WebSocket text frames that arrive complete and alone, as nearly all do (RFC 6455, section 5.2). Pure.

The library runs a generator for each part of a frame; here one comparison is enough.
"""

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library was installed without its C extension
    from websockets.utils import apply_mask

_FINAL_TEXT = 0x81
_MASKED = 0x80
_LENGTH_IN_2, _LENGTH_IN_8 = 126, 127  # the length follows in 2 or 8 bytes
_LONGEST_IN_2 = 0xFFFF


def text_in(data: bytes) -> bytes | None:
    """Return the payload if the data is exactly one masked text frame of a client, or None if the library has to parse
    it."""
    if len(data) < 6 or data[0] != _FINAL_TEXT:
        return None
    length, at = data[1] ^ _MASKED, 2
    if length == _LENGTH_IN_2:
        length, at = int.from_bytes(data[2:4]), 4
    elif length >= _LENGTH_IN_8:  # an 8-byte length, or not masked
        return None
    if len(data) != at + 4 + length:
        return None
    return apply_mask(data[at + 4 :], data[at : at + 4])


def text_frame(payload: bytes) -> bytes:
    """Return a text frame as a server sends it, not masked."""
    length = len(payload)
    if length < _LENGTH_IN_2:
        return bytes((_FINAL_TEXT, length)) + payload
    if length <= _LONGEST_IN_2:
        return bytes((_FINAL_TEXT, _LENGTH_IN_2)) + length.to_bytes(2) + payload
    return bytes((_FINAL_TEXT, _LENGTH_IN_8)) + length.to_bytes(8) + payload


def size_on_wire(length: int) -> int:
    """Return the size in bytes of a client's frame with a payload of `length` bytes."""
    return length + (6 if length < _LENGTH_IN_2 else 8 if length <= _LONGEST_IN_2 else 14)
