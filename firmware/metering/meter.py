"""The contract of a meter, and the blueprint to copy for a new one: one file.

A board's `read` polls its meter in every step of the control loop, so a meter never waits: it takes what has come and asks
for what comes next.
"""


class Meter:
    silent = False  # it has not been heard for longer than it should take

    def poll(self, now_ms, inputs):
        """Fill power_w, current_ma and meter_wh of charging.io.Inputs, as fresh as they are; never older than 1 s.

        A register that has not been read since the start is None, not 0: the unit would take it for a reading.
        """
        raise NotImplementedError
