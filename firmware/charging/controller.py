"""The charging control: Controller.step(now_ms, inputs) returns the outputs, every 20 ms. Pure; does not block.

The order within a step is pilot, faults, limits, sequence, outputs. The controller communicates with the rest of the firmware
only through the Exchange (exchange.py).
"""

from collections import namedtuple

from firmware.charging import limits, pilot, proximity, sequence, session
from firmware.charging.contactor_rest import ContactorRest
from firmware.charging.control_state import ControlState, Setup
from firmware.charging.debounce import Debounce
from firmware.charging.derating import Derating
from firmware.charging.excess import Excess, over_ma
from firmware.charging.exchange import Event, Exchange, Report
from firmware.charging.faults import PROVEN, RAIL_FALLING_MV, Faults
from firmware.charging.io import SAFE, X1, F, Inputs, Outputs
from firmware.charging.led import blink_now, led
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
# closings: of the contactor, in the unit's life; owed: the closings that are not forgiven yet (contactor_rest.py)
Wear = namedtuple("Wear", "closings owed")
UNWORN = Wear(0, 0)


class Controller:
    """The state of the control. `outputs` and `phase` are those of the last step.

    A step that changes nothing allocates no memory (tests/on_micropython/steps.py, hil_tests/cortex_m/figures.py).
    """

    def __init__(self, now_ms: int, setup: Setup, restored: Restored = NOTHING, wear: Wear = UNWORN) -> None:
        self.outputs = SAFE
        self._outputs = Outputs(F, False, SAFE.led, False)  # reused and set in each step
        self.phase = "idle"
        self.faults = Faults(restored.latched)
        self._phase_since_ms = now_ms
        self._state = ControlState(setup)
        self._state.faults = self.faults.names
        self._derating = Derating()
        self._ceilings: tuple[tuple[str, float], ...] = ()
        self._ruling = limits.NO_READING
        self._claims: tuple[limits.Claim, ...] = ()  # the claims from which the ruling was made
        self._expires_ms = now_ms  # when the first of these claims expires
        self._rcd = RcdSelftest()
        self._mode = Mode(now_ms)
        self._offer = OfferLimiter(now_ms)
        self._rest = ContactorRest(now_ms, wear.owed)
        self._state.contactor_rests = self._rest.resting
        self._excess = Excess()
        self._register = restored.register or Register()
        self._kept = restored.kept
        self._session: session.Session | None = None
        self._sessions: int = restored.sessions  # number of the last session
        self._switched_since_ms = now_ms
        self._pilot = Debounce()
        self._cable = Debounce()
        self._button = Debounce(False)
        self._tamper = Debounce(False)
        self._is_settling = False  # cable, button or tamper input is about to change
        self._pressed = False  # the button was pressed in this step
        self._proximity_ohm: int | None = None
        self._cable_a: int | None = None  # rating by the last reading of `_proximity_ohm`
        self._presses = 0
        self._origin_ms = 0  # uptime at control time 0 (clock.py)
        self._report_since_ms = now_ms
        self._changed = True  # a value that limits or report depend on has changed since the last report
        total_wh, meter_wh, names = self._register.total_wh, self._register.meter_wh, self.faults.names
        report = Report(
            self.phase, None, self._mode.now, names, False, 0, 0, total_wh, 0, self._ruling, self._kept, meter_wh, 0, ()
        )
        self.exchange = Exchange(now_ms, setup, report, self.faults.history())
        self.exchange.closings, self.exchange.owed = wear

    def step(self, now_ms: int, inputs: Inputs) -> Outputs:
        """Process the inputs and return the outputs, which apply until the next step. `now_ms` may be set back
        (Clock.set_back).
        """
        if inputs.rail_mv < RAIL_FALLING_MV:
            return self._hold(now_ms, inputs)
        self.exchange.powered = True
        self._read_site(now_ms, inputs)
        self._read_pilot(now_ms, inputs)
        self._check_faults(now_ms, inputs)
        if self._excess.is_watched() or (self._state.contactor and inputs.current_ma > self._state.over_allowed_ma):
            self._follow_excess(now_ms, inputs.current_ma)
        self._limit(now_ms, inputs)
        self._follow_sequence(now_ms, inputs)
        if self._mode.step(now_ms, self.exchange.link_proven):
            self._add_event(now_ms, "mode", self._mode.now)
            self._changed = True
        self._follow_session(now_ms, inputs)
        self._drive(now_ms)
        if self._changed:
            self._report(now_ms, inputs)
        elif now_ms - self._report_since_ms >= REPORT_MS:
            self._report_since_ms, report = now_ms, self.exchange.report
            if report.contactor or inputs.power_w != report.power_w or self._register.meter_wh != report.meter_wh:
                self._report(now_ms, inputs)
        return self.outputs

    def _hold(self, now_ms: int, inputs: Inputs) -> Outputs:
        """Handle a collapse of the unit's own supply: set safe outputs and no faults; the sequence restarts afterwards.

        The first reading suffices, because no later input can be relied on while the supply falls.
        """
        self.exchange.powered = False
        self.faults.restart_timing()
        self.phase, self._phase_since_ms = "idle", now_ms
        control_state = self._state
        control_state.drive, control_state.pwm_on = None, False
        if control_state.contactor:
            self._switch(now_ms, False)
        control_state.limit_a = 0
        self.outputs = SAFE
        if self.exchange.report.phase != self.phase:
            self._report(now_ms, inputs)
        return SAFE

    def _read_site(self, now_ms: int, inputs: Inputs) -> None:
        """Process changes of settings, cable, enclosure and button."""
        control_state = self._state
        if self.exchange.setup is not control_state.setup:
            control_state.setup, self._changed = self.exchange.setup, True
            control_state.set_circuit()
        if inputs.proximity_ohm != self._proximity_ohm:
            self._proximity_ohm = inputs.proximity_ohm
            self._cable_a = proximity.rating_a(inputs.proximity_ohm)
        self._pressed = False
        if (
            self._is_settling
            or inputs.button != self._button.value
            or inputs.tamper != self._tamper.value
            or self._cable_a != control_state.cable_a
        ):
            self._settle(now_ms, inputs)

    def _settle(self, now_ms: int, inputs: Inputs) -> None:
        """Debounce the inputs that rarely change: cable, tamper, button. Called only while one of them differs."""
        control_state, cable, tamper, button = self._state, self._cable, self._tamper, self._button
        if cable.step(now_ms, self._cable_a):
            control_state.cable_a, self._changed = cable.value, True
            control_state.set_circuit()
        if tamper.step(now_ms, inputs.tamper):
            self._add_event(now_ms, "tamper", inputs.tamper)
        self._pressed = button.step(now_ms, inputs.button) and inputs.button
        since_ms = cable.since_ms, tamper.since_ms, button.since_ms
        self._is_settling = since_ms != (None, None, None)

    def _read_pilot(self, now_ms: int, inputs: Inputs) -> None:
        control_state = self._state
        state = pilot.follow(control_state.state, inputs.pilot_high_mv, inputs.pilot_low_mv, control_state.pwm_on)
        if now_ms - self._switched_since_ms < SWITCH_MS:
            if state is None or (state == "F" and control_state.drive != sequence.NOT_AVAILABLE):
                return  # the plateaus still belong to the previous output, so keep the state
        elif control_state.pwm_on or control_state.drive == sequence.NOT_AVAILABLE:
            control_state.diode_missing = pilot.diode_missing(inputs.pilot_high_mv, inputs.pilot_low_mv)
        if state != control_state.state or control_state.unsure:
            self._settle_pilot(now_ms, state)
        if control_state.band == "A":
            control_state.diode_missing = False

    def _settle_pilot(self, now_ms: int, state: str | None) -> None:
        control_state, readings = self._state, self._pilot
        if self.phase == "replugging" and state == "F":
            state = control_state.state  # the unit itself drives F, so the vehicle's state is unchanged
        if readings.step(now_ms, state):
            control_state.set_state(readings.value)
            self._changed = True
        control_state.unsure = readings.since_ms is not None

    def _check_faults(self, now_ms: int, inputs: Inputs) -> None:
        pressed = self._pressed
        if pressed:
            self.exchange.pressed_ms = self._origin_ms + now_ms
        if pressed and self._session and not self.faults.names:
            self._presses += 1
            self._changed = True
        if self.exchange.clear_wanted:
            self.exchange.clear_wanted, pressed = False, True
        if pressed:
            self._rest.forgive()
            self._forget_excess()
        rcd = self._rcd
        if self.exchange.test_wanted:
            self.exchange.test_wanted = False
            rcd.ask()
        if rcd.state != "passed" and (rcd.state in RUNNING or rcd.state == "failed"):
            if self.phase != "testing":
                rcd.forget(now_ms)  # aborted, or reported by its fault
            rcd.step(now_ms, inputs.rcd_ac_trip, inputs.rcd_dc_trip)
        self._state.rcd_test = rcd.state
        self.faults.step(now_ms, inputs, self._state, pressed)
        if self.faults.names is not self._state.faults:
            self._record_faults(now_ms)

    def _record_faults(self, now_ms: int) -> None:
        """Record the faults that were set or cleared in this step."""
        before, names = self._state.faults, self.faults.names
        self._state.faults, self._changed = names, True
        for watch in self.faults.watches:
            if watch.is_set and watch.fault.name not in before:
                watch.set_ms = self._origin_ms + now_ms
                self._add_event(now_ms, "fault", (watch.fault.name, True))
                if watch.fault.tries == PROVEN:
                    self._rcd.forget(now_ms)
        for name in before:
            if name not in names:
                self._add_event(now_ms, "fault", (name, False))
        self.exchange.fault_history = self.faults.history()

    def _follow_excess(self, now_ms: int, current_ma: int) -> None:
        """Handle a vehicle that draws, or has drawn, more than is allowed."""
        excess, control_state = self._excess, self._state
        if excess.pauses:
            if excess.is_over(now_ms):
                control_state.vehicle_pauses, self._changed = False, True
        elif not control_state.contactor or current_ma <= control_state.over_allowed_ma:
            excess.over_since_ms = None
        elif excess.step(now_ms, current_ma, self._ruling.amps, min(ceiling[1] for ceiling in self._ceilings)):
            control_state.vehicle_pauses, self._changed = excess.pauses, True
            self._allow(self._ruling.amps)
            self._add_event(now_ms, "draws_more", 0 if excess.pauses else excess.by_a)

    def _forget_excess(self) -> None:
        self._excess.forget()
        self._state.vehicle_pauses, self._changed = False, True
        self._allow(self._ruling.amps)

    def _limit(self, now_ms: int, inputs: Inputs) -> None:
        """Update ceilings and ruling, but only after a change of a value that they depend on, or when a claim expires."""
        derating, rest = self._derating, self._rest
        if rest.resting and rest.step(now_ms):
            self._state.contactor_rests, self._changed = False, True
        if derating.hotter_since_ms is not None or inputs.temperature_c != derating.temperature_c:
            self._changed = derating.step(now_ms, inputs.temperature_c) or self._changed
        if self._changed or self.exchange.claims is not self._claims or now_ms >= self._expires_ms:
            self._rule(self._origin_ms + now_ms)

    def _rule(self, uptime_ms: int) -> None:
        claims = self._claims = self.exchange.claims
        ceilings = limits.ceilings(self._state, self._derating.quarters, claims, uptime_ms)
        ruling = limits.rule(ceilings, claims, uptime_ms)
        if ruling != self._ruling or ceilings != self._ceilings:
            self._ruling, self._ceilings, self._changed = ruling, ceilings, True
            self._allow(ruling.amps)
        self._expires_ms = limits.expiry_ms(claims, uptime_ms) - self._origin_ms

    def _allow(self, amps: float) -> None:
        self._state.ruling_a = self._excess.offer_a(amps)
        self._state.over_allowed_ma = over_ma(amps)

    def _follow_sequence(self, now_ms: int, inputs: Inputs) -> None:
        if self.phase == "waiting":
            self._state.offer_rests = self._offer.rests(now_ms)
        happened = sequence.event(self.phase, now_ms - self._phase_since_ms, inputs, self._state)
        if happened is None:
            return
        self._changed = True
        self.phase, self._phase_since_ms = sequence.follow(self.phase, happened), now_ms
        if self.phase == "testing":
            self._rcd.begin(now_ms)
        if happened == "offer_available":
            self._state.wake_ups = sequence.WAKE_UPS
        elif self.phase in ("nudging", "replugging"):
            self._state.wake_ups -= 1
            self._add_event(now_ms, "wake_up", self.phase)
        elif self.phase == "closing":
            self._state.wake_ups = 0
        if happened == "offer_withdrawn" and self._ruling.source in limits.CLAIM_SOURCES:
            self._offer.withdraw(now_ms)

    def _follow_session(self, now_ms: int, inputs: Inputs) -> None:
        """Start, update and end the session, which lasts from plugging in to unplugging."""
        register, band = self._register, self._state.band
        if inputs.meter_wh == register.meter_wh and register.total_wh is not None:
            register.good_since_ms = now_ms
        else:
            self._read_meter(now_ms, inputs.meter_wh)
            if register.total_wh is None:
                return  # a new unit, before the first reading of its meter
        if self._kept is not None:
            if band in sequence.VEHICLE or band == "A":
                self._session, self._kept = session.resume(self._kept), None
                if band != "A":
                    self._add_event(now_ms, "resumed", self._session.number)
        elif self._session is None and band in sequence.VEHICLE:
            self._sessions += 1
            self._session = session.Session(self._sessions, self._origin_ms + now_ms, register.total_wh)
        running = self._session
        if running is not None:
            if self.exchange.began_ms is not None:
                running.start_ms, self.exchange.began_ms, self._changed = self.exchange.began_ms, None, True
            running.step(now_ms, register.total_wh, self._state.contactor)
            if band == "A":
                self._end_session(now_ms, running)

    def _read_meter(self, now_ms: int, meter_wh: int | None) -> None:
        register = self._register
        before_wh = register.meter_wh
        if register.read(now_ms, meter_wh):
            self._add_event(now_ms, "meter_changed", (before_wh, register.meter_wh))

    def _end_session(self, now_ms: int, running: session.Session) -> None:
        record = running.end(self._origin_ms + now_ms, "unplugged")
        self._add_event(now_ms, "session", record)
        self.exchange.ended.put(record)
        self._session = None
        self._forget_excess()
        self._rcd.forget(now_ms)
        self.faults.reset_tries()
        self.exchange.fault_history = self.faults.history()

    def _drive(self, now_ms: int) -> None:
        """Set the outputs of the phase."""
        drive, contactor = sequence.DRIVES[self.phase]
        control_state = self._state
        if drive != control_state.drive:
            self._switched_since_ms = now_ms
            control_state.drive = drive
            control_state.limit_a = 0
            self._set_duty(now_ms, F if drive == sequence.NOT_AVAILABLE else X1)
        if drive == sequence.PWM and control_state.limit_a != control_state.ruling_a:
            self._change_offer(now_ms)
        outputs = self.outputs = self._outputs
        outputs.contactor = contactor
        if contactor != control_state.contactor:
            self._switch(now_ms, contactor)
        outputs.led = self._light(now_ms)
        outputs.rcd_test = self.phase == "testing" and self._rcd.state == "tripping"

    def _light(self, now_ms: int) -> tuple[int, int, int]:
        """Return the light's colour. A separate method, because within `_drive` its values would be on the heap."""
        blink = blink_now(self._mode.now != "standalone", self._state.setup.commissioned, now_ms)
        return led(self.phase, self._state.faults, blink, now_ms)

    def _switch(self, now_ms: int, contactor: bool) -> None:
        """Record that the contactor closes or opens. After an opening, it may have to rest."""
        self._state.contactor = contactor
        if contactor:
            self.exchange.owed = self._rest.closed(now_ms)
            self.exchange.closings += 1
            return
        rest_ms = self._rest.opened(now_ms)
        if rest_ms:
            self._state.contactor_rests, self._expires_ms = True, now_ms
            self._add_event(now_ms, "contactor_rest", rest_ms // 1000)

    def _change_offer(self, now_ms: int) -> None:
        control_state, self._changed = self._state, True
        offered_a, lowest_a = control_state.limit_a, min(ceiling[1] for ceiling in self._ceilings)
        control_state.limit_a = self._offer.step(now_ms, offered_a, control_state.ruling_a, lowest_a)
        self._set_duty(now_ms, pilot.duty_u16(control_state.limit_a))

    def _set_duty(self, now_ms: int, duty_u16: int) -> None:
        """Set the pilot's duty cycle. An offer of 0 A is X1, a steady pilot, whose plateaus do not reveal a missing diode."""
        control_state, self._outputs.pilot_duty_u16 = self._state, duty_u16
        pwm_on = duty_u16 not in (F, X1)
        if pwm_on != control_state.pwm_on:
            self._switched_since_ms, control_state.pwm_on = now_ms, pwm_on
            if "diode" not in control_state.faults:
                control_state.diode_missing = False  # a single reading, from before PWM was switched

    def _add_event(self, now_ms: int, kind: str, what: object) -> None:
        self.exchange.events.put(Event(self._origin_ms + now_ms, kind, what))

    def _report(self, now_ms: int, inputs: Inputs) -> None:
        self._report_since_ms, self._changed = now_ms, False
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

    def set_back(self, by_ms: int) -> None:
        """Set back all stored times by `by_ms`, like the control thread's clock (Clock.set_back): all fields of all parts
        whose names end in since_ms.
        """
        self._origin_ms += by_ms
        self._expires_ms -= by_ms
        parts = [self, self._rcd, self._mode, self._offer, self._rest, self._excess, self._derating, self._register]
        parts += [self._pilot, self._cable, self._button, self._tamper, self._session]
        for part in parts + self.faults.watches:
            for name, time_ms in part.__dict__.items() if part else ():
                if name.endswith("since_ms") and time_ms is not None:
                    setattr(part, name, max(time_ms, 0) - by_ms)
