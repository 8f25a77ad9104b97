"""The chips on the I2C bus of the T-Call and its carrier. Addresses and registers are those of their data sheets."""

if False:  # for mypy alone
    from typing import Protocol

    class Bus(Protocol):
        def writeto_mem(self, __address: int, __register: int, __data: bytes) -> object: ...
        def readfrom_mem_into(self, __address: int, __register: int, __buffer: bytearray) -> object: ...


EXPANDER, EXPANDER_INPUTS, EXPANDER_PULL_UPS = 0x20, 0x12, 0x0C  # MCP23017: GPIOA, GPPUA; all pins are inputs at reset
THERMOMETER, TEMPERATURE = 0x48, 0x00  # LM75: 9 bits, the upper byte is whole degrees, signed
POWER_CHIP, SYSTEM_0, BOOST_KEEP_ON = 0x75, 0x00, 0x37  # IP5306; keeps the 5 V rail on at light load


class Parts:
    """The chips on `bus`, a machine.I2C. Every method raises OSError if a chip does not answer. The chips are set up at the
    first use, and again after an error.
    """

    def __init__(self, bus: "Bus") -> None:
        self._bus = bus
        self._byte = bytearray(1)
        self._set_up = False

    def _start(self) -> None:
        self._bus.writeto_mem(POWER_CHIP, SYSTEM_0, bytes((BOOST_KEEP_ON,)))
        self._bus.writeto_mem(EXPANDER, EXPANDER_PULL_UPS, b"\xff")

    def inputs(self) -> int:
        """Return the eight pins of port A as a byte; an open input reads 1."""
        set_up, self._set_up = self._set_up, False
        if not set_up:
            self._start()
        self._bus.readfrom_mem_into(EXPANDER, EXPANDER_INPUTS, self._byte)
        self._set_up = True
        return self._byte[0]

    def temperature_c(self) -> int:
        self._bus.readfrom_mem_into(THERMOMETER, TEMPERATURE, self._byte)
        return self._byte[0] - 256 if self._byte[0] > 127 else self._byte[0]
