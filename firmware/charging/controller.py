"""The charge point's rules, put together: Controller.step(now_ms, inputs) -> outputs, every 20 ms. Pure, never waits.

Safety first: the order inside a step is pilot, faults, limits, sequence, outputs. What the rest of the firmware asks of it and
what it tells passes through one Exchange (exchange.py).
"""

from collections import namedtuple

from firmware.charging import limits, pilot, sequence, session
from firmware.charging.control_state import ControlState
from firmware.charging.derating import Derating
from firmware.charging.exchange import Event, Exchange, Report
from firmware.charging.faults import RAIL_FALLING_MV, Faults
from firmware.charging.io import SAFE, X1, F, Outputs
from firmware.charging.led import led
from firmware.charging.mode import Mode
from firmware.charging.offer_limiter import OfferLimiter
from firmware.charging.rcd_selftest import RUNNING, RcdSelftest
from firmware.charging.register import Register

SWITCH_MS = 60  # a change of the pilot's drive reaches the plateaus within this: one sample, one step
REPORT_MS = 500  # energy and power are this fresh; a change of anything else is reported at once

# What survived a restart. register: a Register that counts the energy, or None; kept: the session.Kept of before, or None;
# sessions: the number of the last one; latched: faults that a restart does not clear
Restored = namedtuple("Restored", "register kept sessions latched")
NOTHING = Restored(None, None, 0, ())


class Controller:
    def __init__(self, now_ms, setup, restored=NOTHING):
        self.outputs = SAFE
        self.phase = "idle"
        self._ceilings: tuple = ()
        self.faults = Faults(restored.latched)
        self._phase_ms = now_ms
        self._situation = ControlState(setup)
        self._derating = Derating()
        self._rcd = RcdSelftest()
        self._mode = Mode(now_ms)
        self._offer = OfferLimiter(now_ms)
        self._register = restored.register or Register()
        self._kept = restored.kept
        self._session = None
        self._sessions = restored.sessions  # the number of the last one
        self._switched_ms = now_ms
        self._button = False
        self._presses = 0
        self._tamper = False
        self._ruling = limits.NO_READING
        self._report_ms = now_ms
        total_wh, meter_wh = self._register.total_wh, self._register.meter_wh
        report = Report(
            self.phase, None, self._mode.now, (), False, 0, 0, total_wh, 0, self._ruling, self._kept, meter_wh, 0, ()
        )
        self.exchange = Exchange(now_ms, setup, report, self.faults.history())

    def step(self, now_ms, inputs):
        """One step: read `inputs`, decide, return the Outputs that hold until the next one."""
        exchange = self.exchange
        exchange.powered = inputs.rail_mv >= RAIL_FALLING_MV
        if not exchange.powered:
            return self._hold(now_ms, inputs)
        control_state = self._situation
        control_state.setup = exchange.setup
        self._read_pilot(now_ms, inputs)
        changed = self._check_faults(now_ms, inputs) or control_state.state != exchange.report.state
        self._derating.step(inputs.temperature_c)
        claims = exchange.claims
        self._ceilings = limits.ceilings(inputs, control_state, self._derating.quarters, claims, now_ms)
        self._ruling = limits.rule(self._ceilings, claims, now_ms)
        control_state.ruling_a = self._ruling.amps
        control_state.offer_rests = self._offer.rests(now_ms)
        happened = sequence.event(self.phase, now_ms - self._phase_ms, inputs, control_state)
        if happened:
            self.phase, self._phase_ms = sequence.follow(self.phase, happened), now_ms
            if self.phase == "testing":
                self._rcd.begin(now_ms)
            if happened == "withdrawn" and self._ruling.source in limits.WISHES:
                self._offer.withdraw(now_ms)
        if self._mode.step(now_ms, exchange.link_proven):
            self._notice(now_ms, "mode", self._mode.now)
            changed = True
        self._follow_session(now_ms, inputs)
        self._drive(now_ms)
        if changed or happened or self._ruling != exchange.report.ruling or now_ms - self._report_ms >= REPORT_MS:
            self._tell(now_ms, inputs)
        return self.outputs

    def _hold(self, now_ms, inputs):
        """Our own supply is not there (yet, or any more): everything open, no fault, no judgement; begin again after it."""
        self.faults.look_anew()
        self.phase, self._phase_ms = "idle", now_ms
        control_state = self._situation
        control_state.drive, control_state.contactor, control_state.limit_a = None, False, 0
        self.outputs = SAFE
        if self.exchange.report.phase != self.phase:
            self._tell(now_ms, inputs)
        return SAFE

    def _read_pilot(self, now_ms, inputs):
        control_state = self._situation
        high_mv, low_mv = inputs.pilot_high_mv, inputs.pilot_low_mv
        state = pilot.follow(control_state.state, high_mv, low_mv, control_state.drive == sequence.PWM)
        if now_ms - self._switched_ms < SWITCH_MS:
            if state is None:
                return  # the plateaus still show the drive of before: the state of before stands
        elif control_state.drive in (sequence.PWM, sequence.NOT_AVAILABLE):
            control_state.diode_missing = pilot.diode_missing(high_mv, low_mv)
        control_state.state = state
        if control_state.band() == "A":
            control_state.diode_missing = False

    def _check_faults(self, now_ms, inputs):
        pressed = inputs.button and not self._button
        self._button = inputs.button
        if pressed and self._session and not self.faults.names:
            self._presses += 1
        if self.exchange.clear_wanted:
            self.exchange.clear_wanted, pressed = False, True
        self._test_rcd(now_ms, inputs)
        came, went = self.faults.step(now_ms, inputs, self._situation, pressed)
        self._situation.faults = self.faults.names
        for name in came:
            self._notice(now_ms, "fault", (name, True))
        for name in went:
            self._notice(now_ms, "fault", (name, False))
        if inputs.tamper != self._tamper:
            self._tamper = inputs.tamper
            self._notice(now_ms, "tamper", inputs.tamper)
        if came or went:
            self.exchange.fault_history = self.faults.history()
        return bool(came or went)

    def _test_rcd(self, now_ms, inputs):
        if self.exchange.test_wanted:
            self.exchange.test_wanted = False
            self._rcd.ask()
        if self.phase != "testing" and (self._rcd.state in RUNNING or self._rcd.state == "failed"):
            self._rcd.forget(now_ms)  # broken off, or told by its fault
        self._rcd.step(now_ms, inputs.rcd_ac_trip, inputs.rcd_dc_trip)
        self._situation.rcd_test = self._rcd.state

    def _follow_session(self, now_ms, inputs):
        """A session lasts from plug to unplug, through faults, pauses and power cuts."""
        self._register.read(inputs.meter_wh)
        if self._register.total_wh is None:
            return  # the meter of a new unit has not answered yet
        band = self._situation.band()
        if self._kept and band:
            if band in sequence.VEHICLE or band == "A":
                self._session, self._kept = session.resume(self._kept), None
                if band != "A":
                    self._notice(now_ms, "resumed", self._session.number)
        elif self._session is None and band in sequence.VEHICLE:
            self._sessions += 1
            self._session = session.Session(self._sessions, now_ms, self._register.total_wh)
        if self._session:
            if self.exchange.began_ms is not None:
                self._session.start_ms, self.exchange.began_ms = self.exchange.began_ms, None
            self._session.step(now_ms, self._register.total_wh, self._situation.contactor)
            if band == "A":
                self._end_session(now_ms, self._session.end(now_ms, "unplugged"))

    def _end_session(self, now_ms, record):
        self._notice(now_ms, "session", record)
        self.exchange.ended.put(record)
        self._session = None
        self._rcd.forget(now_ms)
        self.faults.forgive()
        self.exchange.fault_history = self.faults.history()

    def _drive(self, now_ms):
        """The outputs of the phase."""
        drive, contactor = sequence.DRIVES[self.phase]
        control_state = self._situation
        if drive != control_state.drive:
            self._switched_ms = now_ms
        if drive == sequence.PWM:
            ceiling_a = min(ceiling[1] for ceiling in self._ceilings)
            control_state.limit_a = self._offer.step(now_ms, control_state.limit_a, self._ruling.amps, ceiling_a)
            duty_u16 = pilot.duty_u16(control_state.limit_a)
        else:
            control_state.limit_a = 0
            duty_u16 = X1 if drive == sequence.STEADY else F
        control_state.drive, control_state.contactor = drive, contactor
        colour = led(self.phase, control_state.faults, self._mode.now != "standalone", now_ms)
        coil = self.phase == "testing" and self._rcd.state == "tripping"
        self.outputs = Outputs(duty_u16, contactor, colour, coil)

    def _notice(self, now_ms, kind, what):
        self.exchange.events.put(Event(now_ms, kind, what))

    def _tell(self, now_ms, inputs):
        self._report_ms = now_ms
        control_state, running = self._situation, self._session
        self.exchange.report = Report(
            self.phase,
            control_state.state,
            self._mode.now,
            control_state.faults,
            control_state.contactor,
            control_state.limit_a,
            inputs.power_w,
            self._register.total_wh,
            running.energy_wh if running else 0,
            self._ruling,
            running.kept() if running else self._kept,
            self._register.meter_wh,
            self._presses,
            self._ceilings,
        )
