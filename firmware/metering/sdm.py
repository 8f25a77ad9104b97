"""Eastron SDM120 and SDM230 over RS-485: registers are read in turn, those with a shorter limit of age twice per round.

The register addresses are those of Eastron's Modbus protocol sheets, the same for both types (from memory, unverified).
"""

from firmware.metering import modbus
from firmware.metering.meter import Meter

if False:  # for mypy alone
    from firmware.charging.io import Inputs
    from modem.contracts import Port

# input register, field of charging.io.Inputs, units of the field per unit of the meter
REGISTERS = (
    (0x000C, "power_w", 1),
    (0x0000, "supply_mv", 1000),  # measured on the supply side of the contactor
    (0x0006, "current_ma", 1000),
    (0x000C, "power_w", 1),  # no older than 1 s
    (0x0000, "supply_mv", 1000),  # disconnection within 5 s of a supply fault includes this
    (0x0048, "meter_wh", 1000),  # imported energy, kWh
)
ANSWER_MS = 200  # at 9,600 baud request and response take about 20 ms, and the meter responds within 60 ms
SILENT_MS = 4000  # BS 7671 gives a wrong supply 5 s, and its last reading may be 450 ms old (test_meter_lost.py)
LARGEST = 1e9  # Wh, far beyond the meter's display; a larger value is a transmission error
FRAME_BYTES = modbus.answer_length(2)
REFUSAL_BYTES = 5


class SdmMeter(Meter):
    """The meter with Modbus `address` at serial line `port`. `errors` counts time-outs, exceptions and invalid frames."""

    def __init__(self, port: "Port", address: int = 1) -> None:
        self._port = port
        self._address = address
        self._next = 0  # index into REGISTERS
        self._asked_ms: int | None = None  # time of the pending request
        self._valid_ms: int | None = None  # time of the last valid response
        self._frame = b""
        self._values: dict[str, int | None] = {"power_w": 0, "current_ma": 0, "meter_wh": None, "supply_mv": 0}
        self.errors = 0

    def poll(self, now_ms: int, inputs: "Inputs") -> None:
        if self._valid_ms is None:
            self._valid_ms = now_ms
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
        self.silent = now_ms - self._valid_ms >= SILENT_MS
        inputs.meter_wh = self._values["meter_wh"]
        inputs.supply_mv = None if self.silent else self._fresh("supply_mv")  # None: the fault meter
        inputs.power_w = self._fresh("power_w")
        inputs.current_ma = self._fresh("current_ma")

    def _fresh(self, name: str) -> int:
        return (0 if self.silent else self._values[name]) or 0

    def _ask(self, now_ms: int) -> None:
        self._frame = b""  # bytes without a request are noise
        self._asked_ms = now_ms
        self._port.write(modbus.request(self._address, REGISTERS[self._next][0], 2))

    def _whole(self) -> bool:
        refused = len(self._frame) >= REFUSAL_BYTES and bool(self._frame[1] & modbus.EXCEPTION)
        return refused or len(self._frame) >= FRAME_BYTES

    def _take(self, now_ms: int) -> None:
        value = modbus.read_float(self._frame, self._address)
        _, name, factor = REGISTERS[self._next]
        if abs(value * factor) > LARGEST:
            raise modbus.ModbusError("beyond any meter")
        self._values[name] = max(0, int(value * factor))  # a meter with swapped terminals reports negative power
        self._valid_ms = now_ms
        self._next = (self._next + 1) % len(REGISTERS)
        self._asked_ms = None

    def _lost(self) -> None:
        """Repeat the request at the next poll."""
        self.errors += 1
        self._asked_ms = None
