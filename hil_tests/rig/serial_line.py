"""A serial device of this computer on an event loop, through pyserial."""

import asyncio
from collections.abc import Callable

import serial  # type: ignore[import-untyped]  # pyserial comes without types

from modem.ports.pyserial_port import both_off

BAUD = 115_200
WRITE_WITHIN_S = 2


class SerialLine:
    """Open `device` exclusively. Raises OSError (serial.SerialException) if it is missing, busy or forbidden."""

    def __init__(self, device: str, on_bytes: Callable[[bytes], None]) -> None:
        self._on_bytes = on_bytes
        self._port = serial.Serial(None, BAUD, timeout=0, write_timeout=WRITE_WITHIN_S, exclusive=True)
        self._port.dtr = self._port.rts = False  # on many boards these two lines reset the processor
        self._port.port = device
        with both_off(device):
            self._port.open()
        asyncio.get_running_loop().add_reader(self._port.fileno(), self._readable)

    def write(self, chunk: bytes) -> None:
        """Send bytes. Raises OSError if the line does not take them within WRITE_WITHIN_S."""
        self._port.write(chunk)

    def close(self) -> None:
        """Release the device."""
        asyncio.get_running_loop().remove_reader(self._port.fileno())
        self._port.close()

    def _readable(self) -> None:
        self._on_bytes(self._port.read(self._port.in_waiting or 1))
