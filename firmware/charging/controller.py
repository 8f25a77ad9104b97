"""The charging control: Controller.step(now_ms, inputs) -> outputs, every 20 ms. Pure, does not block.

The order within a step is pilot, faults, limits, sequence, outputs. All communication with the rest of the firmware is
through one Exchange (exchange.py).
"""

from collections import namedtuple

from firmware.charging import limits, pilot, sequence, session
from firmware.charging.control_state import ControlState, Setup
from firmware.charging.derating import Derating
from firmware.charging.exchange import Event, Exchange, Report
from firmware.charging.faults import RAIL_FALLING_MV, Faults
from firmware.charging.io import SAFE, X1, F, Inputs, Outputs
from firmware.charging.led import led
from firmware.charging.mode import Mode
from firmware.charging.offer_limiter import OfferLimiter
from firmware.charging.rcd_selftest import RUNNING, RcdSelftest
from firmware.charging.register import Register

SWITCH_MS = 60  # a change of the pilot output appears in the measured plateaus within this time: one sample, one step
REPORT_MS = 500  # energy and power are reported at this interval, other changes immediately

# State restored after a restart. register: the energy Register, or None; kept: session.Kept of an interrupted session, or
# None; sessions: number of the last session; latched: names of the faults that a restart does not clear
Restored = namedtuple("Restored", "register kept sessions latched")
NOTHING = Restored(None, None, 0, ())


class Controller:
    """The state of the control. `outputs` and `phase` are those of the last step."""

    def __init__(self, now_ms: int, setup: Setup, restored: Restored = NOTHING) -> None:
        self.outputs = SAFE
        self.phase = "idle"
        self._ceilings: tuple[tuple[str, float], ...] = ()
        self.faults = Faults(restored.latched)
        self._phase_ms = now_ms
        self._state = ControlState(setup)
        self._derating = Derating()
        self._rcd = RcdSelftest()
        self._mode = Mode(now_ms)
        self._offer = OfferLimiter(now_ms)
        self._register = restored.register or Register()
        self._kept = restored.kept
        self._session: session.Session | None = None
        self._sessions: int = restored.sessions  # number of the last session
        self._switched_ms = now_ms
        self._button = False
        self._presses = 0
        self._tamper = False
        self._ruling = limits.NO_READING
        self._report_ms = now_ms
        total_wh, meter_wh, names = self._register.total_wh, self._register.meter_wh, self.faults.names
        report = Report(
            self.phase, None, self._mode.now, names, False, 0, 0, total_wh, 0, self._ruling, self._kept, meter_wh, 0, ()
        )
        self.exchange = Exchange(now_ms, setup, report, self.faults.history())

    def step(self, now_ms: int, inputs: Inputs) -> Outputs:
        """Process the inputs and return the outputs until the next step."""
        exchange = self.exchange
        exchange.powered = inputs.rail_mv >= RAIL_FALLING_MV
        if not exchange.powered:
            return self._hold(now_ms, inputs)
        control_state = self._state
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
            if happened == "offer_withdrawn" and self._ruling.source in limits.CLAIM_SOURCES:
                self._offer.withdraw(now_ms)
        if self._mode.step(now_ms, exchange.link_proven):
            self._add_event(now_ms, "mode", self._mode.now)
            changed = True
        self._follow_session(now_ms, inputs)
        self._drive(now_ms)
        if changed or happened or self._ruling != exchange.report.ruling or now_ms - self._report_ms >= REPORT_MS:
            self._publish_report(now_ms, inputs)
        return self.outputs

    def _hold(self, now_ms: int, inputs: Inputs) -> Outputs:
        """The unit's own supply is absent: safe outputs, no faults; the sequence restarts afterwards."""
        self.faults.restart_timing()
        self.phase, self._phase_ms = "idle", now_ms
        control_state = self._state
        control_state.drive, control_state.contactor, control_state.limit_a = None, False, 0
        self.outputs = SAFE
        if self.exchange.report.phase != self.phase:
            self._publish_report(now_ms, inputs)
        return SAFE

    def _read_pilot(self, now_ms: int, inputs: Inputs) -> None:
        control_state = self._state
        high_mv, low_mv = inputs.pilot_high_mv, inputs.pilot_low_mv
        state = pilot.follow(control_state.state, high_mv, low_mv, control_state.drive == sequence.PWM)
        if now_ms - self._switched_ms < SWITCH_MS:
            if state is None:
                return  # the plateaus are still those of the previous output: the state is kept
        elif control_state.drive in (sequence.PWM, sequence.NOT_AVAILABLE):
            control_state.diode_missing = pilot.diode_missing(high_mv, low_mv)
        control_state.state = state
        if control_state.band() == "A":
            control_state.diode_missing = False

    def _check_faults(self, now_ms: int, inputs: Inputs) -> bool:
        pressed = inputs.button and not self._button
        self._button = inputs.button
        if pressed and self._session and not self.faults.names:
            self._presses += 1
        if self.exchange.clear_wanted:
            self.exchange.clear_wanted, pressed = False, True
        self._test_rcd(now_ms, inputs)
        was_set, was_cleared = self.faults.step(now_ms, inputs, self._state, pressed)
        self._state.faults = self.faults.names
        for name in was_set:
            self._add_event(now_ms, "fault", (name, True))
        for name in was_cleared:
            self._add_event(now_ms, "fault", (name, False))
        if inputs.tamper != self._tamper:
            self._tamper = inputs.tamper
            self._add_event(now_ms, "tamper", inputs.tamper)
        if was_set or was_cleared:
            self.exchange.fault_history = self.faults.history()
        return bool(was_set or was_cleared)

    def _test_rcd(self, now_ms: int, inputs: Inputs) -> None:
        if self.exchange.test_wanted:
            self.exchange.test_wanted = False
            self._rcd.ask()
        if self.phase != "testing" and (self._rcd.state in RUNNING or self._rcd.state == "failed"):
            self._rcd.forget(now_ms)  # aborted, or reported by its fault
        self._rcd.step(now_ms, inputs.rcd_ac_trip, inputs.rcd_dc_trip)
        self._state.rcd_test = self._rcd.state

    def _follow_session(self, now_ms: int, inputs: Inputs) -> None:
        """Start, update and end the session, which lasts from plugging in to unplugging."""
        self._register.read(inputs.meter_wh)
        if self._register.total_wh is None:
            return  # a new unit, before the first reading of its meter
        band = self._state.band()
        if self._kept and band:
            if band in sequence.VEHICLE or band == "A":
                self._session, self._kept = session.resume(self._kept), None
                if band != "A":
                    self._add_event(now_ms, "resumed", self._session.number)
        elif self._session is None and band in sequence.VEHICLE:
            self._sessions += 1
            self._session = session.Session(self._sessions, now_ms, self._register.total_wh)
        if self._session:
            if self.exchange.began_ms is not None:
                self._session.start_ms, self.exchange.began_ms = self.exchange.began_ms, None
            self._session.step(now_ms, self._register.total_wh, self._state.contactor)
            if band == "A":
                self._end_session(now_ms, self._session.end(now_ms, "unplugged"))

    def _end_session(self, now_ms: int, record: session.Record) -> None:
        self._add_event(now_ms, "session", record)
        self.exchange.ended.put(record)
        self._session = None
        self._rcd.forget(now_ms)
        self.faults.reset_tries()
        self.exchange.fault_history = self.faults.history()

    def _drive(self, now_ms: int) -> None:
        """Set the outputs of the phase."""
        drive, contactor = sequence.DRIVES[self.phase]
        control_state = self._state
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

    def _add_event(self, now_ms: int, kind: str, what: object) -> None:
        self.exchange.events.put(Event(now_ms, kind, what))

    def _publish_report(self, now_ms: int, inputs: Inputs) -> None:
        self._report_ms = now_ms
        control_state, running = self._state, self._session
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
