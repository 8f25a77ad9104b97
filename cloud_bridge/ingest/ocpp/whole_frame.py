"""A text frame of a WebSocket as its bytes, by RFC 6455, section 5.2: that of nearly all messages, which is whole and alone.
Pure. The library takes a generator for each byte string that it reads of one; here it is one comparison.
"""

try:
    from websockets.speedups import apply_mask
except ImportError:  # where the library was installed without its C
    from websockets.utils import apply_mask

_FINAL_TEXT = 0x81
_MASKED = 0x80
_LENGTH_IN_2, _LENGTH_IN_8 = 126, 127  # bytes that follow
_LONGEST_IN_2 = 0xFFFF


def text_in(data: bytes) -> bytes | None:
    """The payload, of what a client has sent if it is one such frame and nothing else; None: the library has to read it."""
    if len(data) < 6 or data[0] != _FINAL_TEXT:
        return None
    length, at = data[1] ^ _MASKED, 2
    if length == _LENGTH_IN_2:
        length, at = int.from_bytes(data[2:4]), 4
    elif length >= _LENGTH_IN_8:  # or it is not masked
        return None
    if len(data) != at + 4 + length:
        return None
    return apply_mask(data[at + 4 :], data[at : at + 4])


def text_frame(payload: bytes) -> bytes:
    """As a server sends it."""
    length = len(payload)
    if length < _LENGTH_IN_2:
        return bytes((_FINAL_TEXT, length)) + payload
    if length <= _LONGEST_IN_2:
        return bytes((_FINAL_TEXT, _LENGTH_IN_2)) + length.to_bytes(2) + payload
    return bytes((_FINAL_TEXT, _LENGTH_IN_8)) + length.to_bytes(8) + payload


def size_on_wire(length: int) -> int:
    """Of a client's frame with a payload of so many bytes."""
    return length + (6 if length < _LENGTH_IN_2 else 8 if length <= _LONGEST_IN_2 else 14)
