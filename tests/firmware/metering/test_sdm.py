"""Is a Modbus meter read correctly, and is a missing, garbled or foreign answer never used as a reading?"""

import struct

import pytest

from firmware.charging.io import Inputs
from firmware.charging.register import Register
from firmware.metering import modbus
from firmware.metering.sdm import SILENT_MS, SdmMeter

VALUES = {0x0000: 230.5, 0x0006: 16.25, 0x000C: 3737.5, 0x0048: 1234.567}
STEP_MS = 20
PIECE = 5  # of the 9 bytes of a response


def crc(body):
    """Compute it bit by bit, as the standard's example does."""
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            low, value = value & 1, value >> 1
            if low:
                value ^= 0xA001
    return bytes((value & 0xFF, value >> 8))


class FakeMeter:
    """A UART with a meter at its other end, which answers at once, in pieces of PIECE bytes a poll, spoilt by `spoil`."""

    def __init__(self, spoil=None):
        self.asked = []
        self.coming = self.received = b""
        self.spoil = spoil or (lambda frame: frame)

    def write(self, frame):
        assert crc(frame[:-2]) == frame[-2:]
        address, function, register, count = struct.unpack(">BBHH", frame[:-2])
        assert function == 4 and count == 2
        self.asked.append(register)
        body = struct.pack(">BBBf", address, 4, 4, VALUES[register])
        self.coming = self.spoil(body + crc(body))
        self.received = b""

    def any(self):
        self.received, self.coming = self.received + self.coming[:PIECE], self.coming[PIECE:]
        return len(self.received)

    def readinto(self, buffer):
        piece, self.received = self.received[: len(buffer)], self.received[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def poll(meter, inputs, ms):
    for _ in range(ms // STEP_MS):
        meter.poll(STEP_MS, inputs)


def run(line, ms):
    meter, inputs = SdmMeter(line), Inputs()
    poll(meter, inputs, ms)
    return meter, inputs


def test_the_question_is_the_one_of_the_standard():
    """01 04 00 0C 00 02 and its CRC, computed separately."""
    body = bytes((1, 4, 0, 12, 0, 2))
    assert modbus.request(1, 12) == body + crc(body)


def response(value):
    body = struct.pack(">BBBf", 1, 4, 4, value)
    return bytearray(body + crc(body))


@pytest.mark.parametrize(
    "value, exact",
    [(0, 0), (0.25, 250), (1.5, 1500), (230.5, 230500), (1234.5, 1234500), (1048575.5, 1048575500), (-7, 0)],
)
def test_a_float_is_read_in_integers(value, exact):
    assert modbus.read_value(response(value), 1, 1000) == exact
    assert modbus.read_value(response(value), 1, 1) == max(0, int(value))


def test_what_is_read_never_falls_while_the_float_grows_and_is_right_to_one():
    """From 2**-30 to 2**20; no intermediate result exceeds a small integer."""
    before = 0
    for number in range(1, 4000):
        value = struct.unpack(">f", struct.pack(">f", 2 ** (-30 + number / 80)))[0]
        read = modbus.read_value(response(value), 1, 1000)
        assert before <= read and 0 <= value * 1000 - read <= 1.001 + value * 1000 / 2**22, value
        before = read


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 2**20, 1e9, -(2**20)])
def test_a_float_beyond_any_meter_is_no_reading(value):
    with pytest.raises(modbus.ModbusError):
        modbus.read_value(response(value), 1, 1000)


def test_power_current_and_energy_are_read_in_turn_within_a_second():
    line = FakeMeter()
    meter, inputs = run(line, 1000)
    assert (inputs.power_w, inputs.current_ma, inputs.meter_wh) == (3737, 16250, 1234567)
    assert inputs.supply_mv == 230500
    assert set(line.asked) == set(VALUES) and meter.errors == 0 and not meter.silent


SPOILT = {
    "a lost answer": lambda frame: b"",
    "half an answer": lambda frame: frame[:5],
    "a flipped bit": lambda frame: bytes((frame[0], frame[1], frame[2], frame[3] ^ 1)) + frame[4:],
    "another meter": lambda frame: struct.pack(">B", 9) + frame[1:-2] + crc(struct.pack(">B", 9) + frame[1:-2]),
    "a refusal": lambda frame: b"\x01\x84\x02" + crc(b"\x01\x84\x02"),
    "not a number": lambda frame: b"\x01\x04\x04\x7f\xc0\x00\x00" + crc(b"\x01\x04\x04\x7f\xc0\x00\x00"),
    "infinite": lambda frame: b"\x01\x04\x04\x7f\x80\x00\x00" + crc(b"\x01\x04\x04\x7f\x80\x00\x00"),
}


@pytest.mark.parametrize("name", sorted(SPOILT))
def test_what_is_no_answer_is_counted_and_never_a_reading(name):
    meter, inputs = run(FakeMeter(SPOILT[name]), SILENT_MS + 1000)
    assert (inputs.power_w, inputs.current_ma, inputs.meter_wh, inputs.supply_mv) == (0, 0, None, None)
    assert meter.errors >= 5 and meter.silent


def test_a_meter_that_falls_silent_draws_nothing_and_keeps_its_register():
    line = FakeMeter()
    meter, inputs = run(line, 1000)
    line.spoil = lambda frame: b""
    poll(meter, inputs, 7000)
    assert meter.silent and inputs.power_w == 0 and inputs.meter_wh == 1234567


def test_the_energy_of_before_a_start_is_not_lost_and_not_counted_again():
    """The first steps after a start pass before the meter has answered."""
    register = Register(total_wh=5000, meter_wh=1234000)
    meter, inputs = SdmMeter(FakeMeter()), Inputs()
    for now_ms in range(0, 1000, STEP_MS):
        meter.poll(STEP_MS, inputs)
        register.read(now_ms, inputs.meter_wh)
    assert register.total_wh == 5567


def test_a_meter_that_is_wired_backwards_tells_no_power_and_is_heard():
    line = FakeMeter(lambda frame: backwards(frame) if line.asked[-1] == 0x000C else frame)
    meter, inputs = run(line, SILENT_MS + 1000)
    assert (inputs.power_w, inputs.current_ma, inputs.supply_mv) == (0, 16250, 230500)
    assert meter.errors == 0 and not meter.silent


def backwards(frame):
    body = frame[:3] + struct.pack(">f", -struct.unpack(">f", frame[3:7])[0])
    return body + crc(body)


def test_the_supply_is_asked_for_often_enough_to_be_cut_within_five_seconds():
    """[BS7671] [R9p] With a slow meter, supply and power are never older than 0.45 s."""
    line = SlowMeter()
    run(line, 3000)
    for register in (0x0000, 0x000C):
        asked_ms = [at_ms for at_ms, asked in zip(line.asked_ms, line.asked) if asked == register]
        apart_ms = [later - earlier for earlier, later in zip(asked_ms, asked_ms[1:])]
        assert len(apart_ms) > 5 and max(apart_ms) <= 450


class SlowMeter(FakeMeter):
    """Answers 80 ms after the request."""

    def __init__(self):
        super().__init__()
        self.polls = 0
        self.asked_ms = []

    def write(self, frame):
        super().write(frame)
        self.asked_ms.append(self.polls * STEP_MS)

    def any(self):
        self.polls += 1
        late = self.asked_ms and self.polls * STEP_MS - self.asked_ms[-1] >= 80
        return super().any() if late else 0


def test_a_line_that_breaks_is_an_error_and_no_exception():
    class Broken:
        def any(self):
            raise OSError(5)

    assert run(Broken(), 1000)[0].errors > 10
