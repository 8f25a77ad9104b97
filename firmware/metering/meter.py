"""The interface of an energy meter; one module in this folder for each type.

The board polls its meter in every step of the control loop, so a meter must not block: `poll` processes what has been received
and sends the next request.
"""

if False:  # for mypy alone
    from firmware.charging.io import Inputs


class Meter:
    """`silent`: no valid reading for longer than the meter's time-out."""

    silent = False

    def poll(self, now_ms: int, inputs: "Inputs") -> None:
        """Set power_w, current_ma and meter_wh of `inputs`, no older than 1 s. Raises nothing.

        meter_wh is None, not 0, until the register has been read: 0 would be taken for a reading.
        """
        raise NotImplementedError
