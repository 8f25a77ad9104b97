"""Modbus RTU, as far as a meter needs it: reading input registers that hold floats. Pure: frames in and out.

Modbus application protocol V1.1b3, function 4; Modbus over serial line V1.02 for the CRC.
"""

import struct

READ_INPUT = 4
EXCEPTION = 0x80  # added to the function when the meter refuses
REGISTER_BYTES = 2


class ModbusError(Exception):
    """A frame that is not the answer to our question, or an answer that refuses."""


def request(address, register, registers):
    """The question for `registers` input registers from `register` on."""
    return _with_crc(struct.pack(">BBHH", address, READ_INPUT, register, registers))


def answer_length(registers):
    """Bytes of a good answer; one that refuses has 5."""
    return 5 + registers * REGISTER_BYTES


def read_float(frame, address):
    """The float in an answer to a question for two registers. ModbusError if it is none."""
    if len(frame) < 5 or _with_crc(frame[:-2]) != frame:
        raise ModbusError("a broken frame of %d bytes" % len(frame))
    if frame[0] != address:
        raise ModbusError("an answer of %d" % frame[0])
    if frame[1] == READ_INPUT | EXCEPTION:
        raise ModbusError("refused with exception %d" % frame[2])
    if frame[1] != READ_INPUT or frame[2] != 4 or len(frame) != 9:
        raise ModbusError("not an answer to our question")
    value = struct.unpack(">f", frame[3:7])[0]
    if value != value:
        raise ModbusError("not a number")
    return value


def _with_crc(body):
    crc = 0xFFFF
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return body + struct.pack("<H", crc)
