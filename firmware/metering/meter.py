"""The interface of an energy meter, for type checkers; no interpreter imports this. Each type has a module in this folder.

The board polls its meter in every step of the control loop, so a meter must not block: `poll` processes the received bytes and
sends the next request. It allocates no memory while nothing changes (hil_tests/cortex_m/figures.py).
"""

if False:  # for mypy alone
    from typing import Protocol

    from firmware.charging.io import Inputs

    class Meter(Protocol):
        """A meter. `silent`: there has been no valid reading for longer than the meter's timeout."""

        silent: bool

        def poll(self, elapsed_ms: int, inputs: "Inputs") -> None:
            """Set power_w, current_ma and meter_wh of `inputs`, and supply_mv if the meter measures it. Raises nothing.

            The values are no older than 1 s. `elapsed_ms`: time since the last poll. meter_wh is None, not 0, until the
            register has been read, because 0 would be a valid reading.
            """
