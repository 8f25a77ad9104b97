"""The interface of an energy meter; one module in this folder for each type. For type checkers: no interpreter imports this.

The board polls its meter in every step of the control loop, so a meter must not block: `poll` processes what has been received
and sends the next request. Nor does it allocate memory while nothing changes (hil_tests/cortex_m/figures.py).
"""

if False:  # for mypy alone
    from typing import Protocol

    from firmware.charging.io import Inputs

    class Meter(Protocol):
        """`silent`: no valid reading for longer than the meter's time-out."""

        silent: bool

        def poll(self, elapsed_ms: int, inputs: "Inputs") -> None:
            """Set power_w, current_ma and meter_wh of `inputs`, no older than 1 s. Raises nothing.

            `elapsed_ms`: since the last poll.
            meter_wh is None, not 0, until the register has been read: 0 would be taken for a reading.
            """
