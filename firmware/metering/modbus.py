"""A Modbus RTU master that reads one value from two input registers. Pure: frames in and out. A response allocates no memory.

Sources: MODBUS Application Protocol V1.1b3, 6.4 (function 4); MODBUS over Serial Line V1.02, 6.2.2 (CRC).
"""

import struct

READ_INPUT = 4
RESPONSE_BYTES = 9  # an exception response has 5

# Table of the CRC for four bits at a time, composed of the contribution of each bit.
_CRC = tuple(
    0xCC01 * (bits & 1) ^ 0xD801 * (bits >> 1 & 1) ^ 0xF001 * (bits >> 2 & 1) ^ 0xA001 * (bits >> 3)
    for bits in range(16)
)


class ModbusError(Exception):
    """An invalid frame, a response to another request, or an exception response."""


def request(address: int, register: int) -> bytes:
    """Return the request for the value whose first input register is `register`."""
    body = struct.pack(">BBHH", address, READ_INPUT, register, 2)
    return body + struct.pack("<H", crc(body))


def crc(frame: bytes | bytearray) -> int:
    """Return the CRC of these bytes; 0 if they end with their correct CRC."""
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        value = value >> 4 ^ _CRC[value & 15]
        value = value >> 4 ^ _CRC[value & 15]
    return value


def read_value(frame: bytearray, address: int, factor: int) -> int:
    """Return the IEEE 754 float in a response, times `factor` (1 to 1,000), rounded down; 0 if it is negative.

    `frame` has RESPONSE_BYTES. Calculates with integers, because a float is an object on the heap, and has only 24 bits on a
    board. Raises ModbusError for an invalid frame, and for a value that is not a number, or 2**20 or more.
    """
    if crc(frame) or frame[0] != address or frame[1] != READ_INPUT or frame[2] != 4:
        raise ModbusError("not a response to this request")
    shift = 150 - ((frame[3] & 0x7F) << 1 | frame[4] >> 7)  # the value is mantissa / 2**shift
    if shift < 4:
        raise ModbusError("beyond any meter")
    if frame[3] & 0x80 or shift > 24 + 23:
        return 0  # negative, or too small
    mantissa = (frame[4] | 0x80) << 16 | frame[5] << 8 | frame[6]
    whole = mantissa >> shift
    fraction = mantissa - (whole << shift)
    if shift > 20:  # keeps 1,000 times the fraction within a small integer of 31 bits
        fraction >>= shift - 20
        shift = 20
    return whole * factor + (fraction * factor >> shift)
