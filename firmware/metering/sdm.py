"""Eastron SDM120 and SDM230 over RS-485: one register asked after the other, those that must be fresh twice as often.

The register addresses are those of Eastron's Modbus protocol sheets, the same for both; remembered and not read from them
(unverified).
"""

from firmware.metering import modbus
from firmware.metering.meter import Meter

# input register -> the field of charging.io.Inputs, and how many of its units one unit of the meter is
REGISTERS = (
    (0x000C, "power_w", 1),
    (0x0000, "supply_mv", 1000),  # the meter sits before the contactor
    (0x0006, "current_ma", 1000),
    (0x000C, "power_w", 1),  # reported within 1 s
    (0x0000, "supply_mv", 1000),  # part of the 5 s within which a wrong supply is cut
    (0x0048, "meter_wh", 1000),  # imported energy, kWh
)
ANSWER_MS = 200  # at 9,600 baud question and answer take some 20 ms, and the meter thinks for up to 60
SILENT_MS = 5000
LARGEST = 1e9  # Wh, far beyond the meter's display; a float beyond it is a fault of the line
FRAME_BYTES = modbus.answer_length(2)
REFUSAL_BYTES = 5


class SdmMeter(Meter):
    """`port` is one of modem/ports; `errors` counts what was lost, refused or garbled."""

    def __init__(self, port, address=1):
        self._port = port
        self._address = address
        self._next = 0  # index into REGISTERS
        self._asked_ms = None
        self._heard_ms = None
        self._frame = b""
        self._values = {"power_w": 0, "current_ma": 0, "meter_wh": None, "supply_mv": 0}
        self.errors = 0

    def poll(self, now_ms, inputs):
        if self._heard_ms is None:
            self._heard_ms = now_ms
        try:
            self._frame += self._port.read()
            if self._asked_ms is None:
                self._ask(now_ms)
            elif self._whole():
                self._take(now_ms)
            elif now_ms - self._asked_ms >= ANSWER_MS:
                self._lost()
        except (OSError, modbus.ModbusError):
            self._lost()
        self.silent = now_ms - self._heard_ms >= SILENT_MS
        inputs.meter_wh = self._values["meter_wh"]
        inputs.supply_mv = 0 if self.silent else self._values["supply_mv"]  # not known is not allowed: a fault
        inputs.power_w = 0 if self.silent else self._values["power_w"]
        inputs.current_ma = 0 if self.silent else self._values["current_ma"]

    def _ask(self, now_ms):
        self._frame = b""  # what came unasked is noise
        self._asked_ms = now_ms
        self._port.write(modbus.request(self._address, REGISTERS[self._next][0], 2))

    def _whole(self):
        refused = len(self._frame) >= REFUSAL_BYTES and self._frame[1] & modbus.EXCEPTION
        return refused or len(self._frame) >= FRAME_BYTES

    def _take(self, now_ms):
        value = modbus.read_float(self._frame, self._address)
        _, name, factor = REGISTERS[self._next]
        if abs(value * factor) > LARGEST:
            raise modbus.ModbusError("beyond any meter")
        self._values[name] = max(0, int(value * factor))  # a meter that is wired backwards shows negative power
        self._heard_ms = now_ms
        self._next = (self._next + 1) % len(REGISTERS)
        self._asked_ms = None

    def _lost(self):
        """Ask again with the next poll."""
        self.errors += 1
        self._asked_ms = None
