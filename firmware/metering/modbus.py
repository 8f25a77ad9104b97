"""Modbus RTU master, reading of input registers as floats. Pure: frames in and out.

Sources: MODBUS Application Protocol V1.1b3, 6.4 (function 4); MODBUS over Serial Line V1.02, 6.2.2 (CRC).
"""

import struct

READ_INPUT = 4
EXCEPTION = 0x80  # added to the function code in an exception response
REGISTER_BYTES = 2


class ModbusError(Exception):
    """An invalid frame, a response to another request, or an exception response."""


def request(address: int, register: int, registers: int) -> bytes:
    """Return the request for `registers` input registers, the first at address `register`."""
    return _with_crc(struct.pack(">BBHH", address, READ_INPUT, register, registers))


def answer_length(registers: int) -> int:
    """Return the length of a normal response, bytes. An exception response has 5."""
    return 5 + registers * REGISTER_BYTES


def read_float(frame: bytes, address: int) -> float:
    """Return the IEEE 754 float in a response of two registers. Raises ModbusError."""
    if len(frame) < 5 or _with_crc(frame[:-2]) != frame:
        raise ModbusError("a broken frame of %d bytes" % len(frame))
    if frame[0] != address:
        raise ModbusError("a response of address %d" % frame[0])
    if frame[1] == READ_INPUT | EXCEPTION:
        raise ModbusError("exception response %d" % frame[2])
    if frame[1] != READ_INPUT or frame[2] != 4 or len(frame) != 9:
        raise ModbusError("not a response to this request")
    value: float = struct.unpack(">f", frame[3:7])[0]
    if value != value:
        raise ModbusError("not a number")
    return value


def _with_crc(body: bytes) -> bytes:
    crc = 0xFFFF
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return body + struct.pack("<H", crc)
