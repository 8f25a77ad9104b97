"""Eastron SDM120 and SDM230 over RS-485. The registers are read in turn, those that must be more recent twice per round.

The register addresses are those of Eastron's Modbus protocol sheets, the same for both types (from memory, unverified).
"""

from firmware.metering import modbus

if False:  # for mypy alone
    from typing import Protocol

    from firmware.charging.io import Inputs

    class Line(Protocol):
        """The methods that are used of a machine.UART with a timeout of 0."""

        def any(self) -> int: ...
        def readinto(self, __buffer: bytearray) -> int | None: ...
        def write(self, __data: bytes) -> int | None: ...


# input register, field of charging.io.Inputs, units of the field per unit of the meter
REGISTERS = (
    (0x000C, "power_w", 1),
    (0x0000, "supply_mv", 1000),  # measured on the supply side of the contactor
    (0x0006, "current_ma", 1000),
    (0x000C, "power_w", 1),  # no older than 1 s
    (0x0000, "supply_mv", 1000),  # its age is part of the 5 s to disconnection after a supply fault
    (0x0048, "meter_wh", 1000),  # imported energy, kWh
)
ANSWER_MS = 200  # request and response take about 20 ms at 9,600 baud, and the meter responds within 60 ms
SILENT_MS = 4000  # BS 7671 allows 5 s for a supply fault, and the last reading may be 450 ms old (test_meter_lost.py)
STALE_READS = 32  # the most reads to discard stale bytes: a buffer of 256 bytes


class SdmMeter:
    """The meter with Modbus `address` at serial line `line`. `errors` counts timeouts and invalid frames. An exception
    response is shorter than a normal one, so it ends in a timeout.
    """

    def __init__(self, line: "Line", address: int = 1) -> None:
        self._line = line
        self._address = address
        self._requests = {register: modbus.request(address, register) for register, _, _ in REGISTERS}
        self._next = 0  # index into REGISTERS
        self._waits = False  # a request is pending
        self._waited_ms = 0  # time since the request
        self._age_ms = 0  # of the last valid response
        self._frame = bytearray(modbus.RESPONSE_BYTES)
        self._values: dict[str, int | None] = {"power_w": 0, "current_ma": 0, "meter_wh": None, "supply_mv": 0}
        self.silent = False
        self.errors = 0

    def poll(self, elapsed_ms: int, inputs: "Inputs") -> None:
        self._waited_ms += elapsed_ms
        if self._age_ms < SILENT_MS:
            self._age_ms += elapsed_ms
        self._talk()
        self.silent = self._age_ms >= SILENT_MS
        inputs.meter_wh = self._values["meter_wh"]
        if self.silent:
            inputs.supply_mv, inputs.power_w, inputs.current_ma = None, 0, 0  # None sets the fault "meter"
        else:
            inputs.supply_mv = self._values["supply_mv"]
            inputs.power_w = self._values["power_w"] or 0
            inputs.current_ma = self._values["current_ma"] or 0

    def _talk(self) -> None:
        try:
            if not self._waits:
                self._ask()
            elif self._line.any() >= modbus.RESPONSE_BYTES:
                self._take()
            elif self._waited_ms >= ANSWER_MS:
                self._lost()
        except (OSError, modbus.ModbusError):
            self._lost()

    def _ask(self) -> None:
        self._waits, self._waited_ms = True, 0
        reads = 0
        while reads < STALE_READS and self._line.any():  # discard bytes that were received without a request
            self._line.readinto(self._frame)
            reads += 1
        self._line.write(self._requests[REGISTERS[self._next][0]])

    def _take(self) -> None:
        self._line.readinto(self._frame)
        _, name, factor = REGISTERS[self._next]
        self._values[name] = modbus.read_value(self._frame, self._address, factor)
        self._age_ms = 0
        self._next = (self._next + 1) % len(REGISTERS)
        self._waits = False

    def _lost(self) -> None:
        """Count a failed request. The next poll repeats it."""
        self.errors += 1
        self._waits = False
