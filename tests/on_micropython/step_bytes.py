"""MicroPython: print `STATE BYTES` for a period of the control loop in each steady state, also after 2**30 ms.

BYTES is the maximum that a period leaves on the heap if it changes nothing, so that no report is made.
"""

import gc

from firmware.charging.limits import Claim
from firmware.control_loop import DAY_MS, ControlLoop
from tests.firmware.charging.wired import STEP_MS, Unit
from tests.firmware.link.fake_clock import FakeClock

STEPS = 100
LATE_DAYS = 13


class Board:
    """A board without hardware: its readings are in `inputs`."""

    def read(self, inputs):
        pass

    def write(self, outputs):
        pass

    def move_live_line(self):
        pass

    def keep_latched(self, faults):
        pass

    def feed(self):
        pass


def left(call):
    """Return the bytes that a call leaves on the heap."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    call()
    after = gc.mem_alloc()
    gc.enable()
    return after - before


def most(unit, loop, clock):
    """Return the maximum of STEPS periods, without those that make a report."""
    found = 0
    loop._inputs = unit.inputs
    for _ in range(STEPS):
        clock.now += STEP_MS
        unit.now_ms = clock.now
        unit._load_pilot()
        report = unit.exchange.report
        taken = left(loop.run_period)
        if unit.exchange.report is report:
            found = max(found, taken)
    unit.outputs = unit.controller.outputs
    return found


def tell(name, unit, loop, clock):
    print(name, most(unit, loop, clock))


def main():
    unit = Unit(tethered=False)
    unit.inputs.proximity_ohm = 220
    clock = FakeClock()
    loop = ControlLoop(Board(), unit.controller, clock)
    for late in ("", "_late"):
        unit.car = "A"
        unit.run(1000)
        clock.now = loop._before_ms = loop._due_ms = unit.now_ms
        tell("idle" + late, unit, loop, clock)
        unit.exchange.claims = (Claim("cloud", 0, None, "peak", None),)
        unit.car = "B"
        unit.run(6000)
        clock.now = unit.now_ms
        tell("connected" + late, unit, loop, clock)
        unit.exchange.claims = ()
        unit.run(6000)
        unit.charge()
        unit.run(6000)
        clock.now = unit.now_ms
        tell("charging" + late, unit, loop, clock)
        unit.car = "A"
        unit.run(1000)
        for _ in range(0 if late else LATE_DAYS):
            unit.now_ms += DAY_MS
            unit.run(STEP_MS)
            unit.now_ms -= DAY_MS
            unit.controller.set_back(DAY_MS)
    assert unit.controller._origin_ms + unit.now_ms > 2**30


main()
