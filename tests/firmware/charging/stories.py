"""Random stories of a charge point, equal on all interpreters: the decisions of 1,500 steps, hashed to one number.

`fold(seed, start_ms)` is equal on 64 bits with double precision and on 32 bits with single precision, if the rules depend on
neither. The seed determines the story; `start_ms` sets the clock, so that a story can run across a power of two.
"""

import binascii
import json

from firmware.charging.control_state import Setup
from firmware.charging.controller import NOTHING, Controller, Restored
from firmware.charging.io import SAFE, X1, F, Inputs
from firmware.charging.limits import Claim
from firmware.charging.register import Register
from firmware.control_loop import DAY_MS
from firmware.link import messages

STEPS = 1500
STEP_MS = 20
HALF_MS = STEPS * STEP_MS // 2
# On a 32-bit MicroPython, small integers and ticks end at 2**30; signed and unsigned words end at the others.
STORIES = ((12, 0), (23, 2**30 - HALF_MS), (47, 2**31 - HALF_MS), (11, 2**32 - HALF_MS))
PILOT_MV = {"A": 12000, "B": 9000, "C": 6000, "D": 3000}
CALM_STEPS = 12  # maximum number of steps between two events


class Dice:
    """A linear congruential generator (POSIX.1-2001, rand), with the same numbers on every interpreter."""

    def __init__(self, seed):
        self._state = seed

    def roll(self, sides):
        """Return a number from 0 to `sides` - 1."""
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 16) % sides

    def choose(self, options):
        """Return one of `options`."""
        return options[self.roll(len(options))]


class Story:
    """A controller, with a vehicle, a board and an owner that act at random."""

    def __init__(self, seed, start_ms, set_back_every=0):
        """Every `set_back_every` steps, the clock of the control thread is set back by a day while it shows at least two
        days."""
        self.now_ms = start_ms
        self._set_back_every = set_back_every
        self.set_backs = 0
        self.dice = Dice(seed)
        self.inputs = inputs = Inputs()
        inputs.rail_mv, inputs.supply_mv, inputs.temperature_c = 5000, 230000, 25
        inputs.proximity_ohm, inputs.meter_wh = 220, 0
        self.vehicle, self.diode, self.rcd_works, self.contact_follows = "A", True, True, True
        self.outputs = SAFE
        self.setup = Setup(32, False, False, 0, True)
        self._start(NOTHING)
        self.closed_steps = self.fault_steps = 0

    def _start(self, restored):
        self._origin_ms = 0  # uptime when the control time is 0
        self.controller = Controller(self.now_ms, self.setup, restored)
        self.exchange = self.controller.exchange
        self.exchange.claims = ()

    def run(self, steps=STEPS):
        """Return the CRC-32 of all decisions and reports."""
        crc = calm = 0
        for number in range(steps):
            if calm == 0:
                self._happen()
                calm = self.dice.roll(CALM_STEPS) if self.dice.roll(4) else 100  # sometimes long enough to charge
            else:
                calm -= 1
            self._step()
            if self._set_back_every and number % self._set_back_every == 0:
                self._set_back()
            crc = binascii.crc32(self._told(number), crc)
        return crc

    def _step(self):
        self.now_ms += STEP_MS
        self._sense()
        self.outputs = self.controller.step(self.now_ms - self._origin_ms, self.inputs)
        if self.contact_follows:
            self.inputs.contactor_closed = self.outputs.contactor
        self.closed_steps += self.outputs.contactor
        self.fault_steps += bool(self.controller.faults.names)

    def _set_back(self):
        if self.now_ms - self._origin_ms >= 2 * DAY_MS:
            self._origin_ms += DAY_MS
            self.controller.set_back(DAY_MS)
            self.set_backs += 1

    def _told(self, number):
        """Return the data for board, console and broker, as bytes."""
        outputs, report = self.outputs, self.exchange.report
        told = [outputs.pilot_duty_u16, outputs.contactor, outputs.led, outputs.rcd_test, report]
        event = self.exchange.events.take()
        while event:
            told.append(event)
            event = self.exchange.events.take()
        heartbeat = messages.heartbeat(number, 1, None, report, 17, "23415", 21)
        return json.dumps(_plain(told), separators=(",", ":")).encode() + heartbeat

    def _sense(self):
        inputs, duty = self.inputs, self.outputs.pilot_duty_u16
        high_mv = PILOT_MV[self.vehicle]
        low_mv = -12000 if self.diode or self.vehicle == "A" else -high_mv
        inputs.pilot_high_mv = low_mv if duty == F else high_mv
        inputs.pilot_low_mv = high_mv if duty == X1 else low_mv
        drawing = self.outputs.contactor and self.vehicle in "CD"
        inputs.current_ma = 14700 if drawing else 0
        inputs.power_w = inputs.current_ma * 230 // 1000
        if drawing and self.now_ms % 1000 < STEP_MS:
            inputs.meter_wh += 1
        leaks = not self.dice.roll(400)
        inputs.rcd_ac_trip = leaks or (self.outputs.rcd_test and self.rcd_works)

    def _happen(self):
        """Let one thing happen, rarely a bad one."""
        inputs, exchange, choose = self.inputs, self.exchange, self.dice.choose
        what = self.dice.roll(16)
        if what < 6:
            self.vehicle = choose("ABCCCCCD")
        elif what == 6:
            inputs.supply_mv = choose((230000, 230000, 230000, 206000, 254000))
        elif what == 7:
            inputs.temperature_c = choose((25, 25, 62, 65, 70, None))
        elif what == 8:
            inputs.proximity_ohm = choose((220, 220, 680, 1500, 10, None))
        elif what == 9:
            inputs.button = not inputs.button
        elif what == 10:
            lasts_ms = choose((None, 20, 5000))
            until_ms = None if lasts_ms is None else self.now_ms + lasts_ms
            source, amps = choose(("override", "schedule", "cloud", "load_manager")), choose((0, 3, 6, 10.5, 16, 80))
            exchange.claims = (Claim(source, amps, until_ms, "story", None),) + exchange.claims[:2]
        elif what == 11:
            exchange.claims = ()
        elif what == 12:
            exchange.link_proven = not exchange.link_proven
        elif what == 13:
            self.diode, self.rcd_works = choose((True, True, True, False)), choose((True, True, True, False))
        elif what == 14:
            exchange.clear_wanted = True
            self.contact_follows = choose((True, True, True, False))
        else:
            self._mains_cut()

    def _mains_cut(self):
        """Restart the processor; what is stored is restored."""
        report = self.exchange.report
        register = Register(report.total_wh, report.meter_wh)
        sessions = report.session.number if report.session else 0
        self._start(Restored(register, report.session, sessions, ()))
        self.outputs = SAFE
        if self.contact_follows:
            self.inputs.contactor_closed = False


def _plain(value):
    """Convert tuples to lists: for a named tuple, json writes a list on CPython, and its name on MicroPython."""
    return [_plain(part) for part in value] if isinstance(value, (tuple, list)) else value


def fold(seed, start_ms):
    """Return (CRC-32, steps with the contactor closed, steps with a fault) of one story."""
    story = Story(seed, start_ms)
    return story.run(), story.closed_steps, story.fault_steps
