"""Runs on the machine: starts the product as the production image does, from frozen code alone, on pins that lead nowhere.

With `stock`, from wherever sys.path says. Its control loop runs PERIODS periods; printed are the steps that it took, and the
phase that it is in.
"""

import _thread
import gc
import sys

import measure  # also for its stand-ins of what is C code on a board

PERIODS = 50
# What lasts lies close together so, as with the threshold of firmware/main.py; that one, with the heap of this machine, would
# make the start longer than the meter may be silent.
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
            """What the control loop does on an error: a board waits for its watchdog."""

    unit = app.Unit(Board)
    measure.whole(unit)
    ((loop, arguments),) = _thread.started
    loop(*arguments)
    print("steps", sum(unit.exchange.apart) + 1, unit.exchange.report.phase)
