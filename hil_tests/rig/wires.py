"""The wires between the simulated board and its microcontroller: one JSON object per line, in both directions.

An edge on the live line, every 20 ms, is a line of its own.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hil_tests.sim.board import RESET, Outputs
from hil_tests.sim.pty import Pty

LINE_LIMIT_BYTES = 512
LIVE_LINE = b"live"
STALE_BYTES = 512  # so many unread bytes mean that the microcontroller stands still; a sensor has no backlog


class Wires:
    """The wires of one power-up. `on_outputs` receives each change of the microcontroller's pins, `on_live` each edge
    of the live line."""

    def __init__(self, link: Path, on_outputs: Callable[[Outputs], None], on_live: Callable[[], None]) -> None:
        self._pty = Pty(self._received, link)
        self._on_outputs, self._on_live = on_outputs, on_live
        self._unfinished = b""
        self.bad_lines = 0

    def send(self, inputs: dict[str, int | bool | None]) -> None:
        """Send what the sensors read now. Unread older values are discarded."""
        if self._pty.unread_bytes() >= STALE_BYTES:
            self._pty.discard_unread()
        self._pty.write(json.dumps(inputs, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Remove the wires."""
        self._pty.close()

    def _received(self, chunk: bytes) -> None:
        *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
        self._unfinished = self._unfinished[-LINE_LIMIT_BYTES:]
        for line in lines:
            if line == LIVE_LINE:
                self._on_live()
                continue
            outputs = _outputs(line)
            if outputs is None:
                self.bad_lines += 1
            else:
                self._on_outputs(outputs)


def _outputs(line: bytes) -> Outputs | None:
    """Parse the pins of a line. Return None for an invalid line."""
    try:
        told: dict[str, Any] = json.loads(line)
        red, green, blue = (min(255, max(0, int(level))) for level in told["led"])
        return Outputs(
            pilot_duty_u16=min(65_535, max(0, int(told["pilot_duty_u16"]))),
            contactor=bool(told["contactor"]),
            led=(red, green, blue),
            modem_power=bool(told["modem_power"]),
            modem_pwrkey=bool(told["modem_pwrkey"]),
            rcd_test=bool(told.get("rcd_test", RESET.rcd_test)),
            watchdog=int(told["watchdog"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
