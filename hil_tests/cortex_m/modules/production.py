"""Run on the machine: start the product like the production image, from frozen code alone, on pins without connections.

With `stock`, from any place in sys.path. The control loop runs PERIODS periods; then its steps and its phase are
printed.
"""

import _thread
import gc
import sys

import measure  # also for its stand-ins for C code of a board

PERIODS = 50
# This keeps long-lived objects close together, as the threshold of firmware/main.py does. With this machine's heap,
# that one would make the start longer than the meter may be silent.
COLLECT_BYTES = 65536


class Enough(Exception):
    """The loop has run as long as it should."""


def run(stock=False):
    if not stock:
        import _boot  # noqa: F401

        assert sys.path == [".frozen"], sys.path
    gc.threshold(COLLECT_BYTES)
    from firmware import app
    from firmware.boards import chosen

    class Board(chosen.Board):
        writes = 0

        def write(self, outputs):
            super().write(outputs)
            self.writes += 1
            if self.writes == PERIODS:
                raise Enough

        def give_up(self):
            """Do nothing: after an error in the control loop a board waits for its watchdog."""

    unit = app.Unit(Board)
    measure.whole(unit)
    ((loop, arguments),) = _thread.started
    loop(*arguments)
    print("steps", sum(unit.exchange.apart) + 1, unit.exchange.report.phase)
