"""The charge point's rules, put together: Controller.step(now_ms, inputs) -> outputs, every 20 ms. Pure, never waits.

Safety first: the order inside a step is pilot, faults, limits, sequence, outputs. What the rest of the firmware may ask of
it stands in a few fields that one other thread writes whole (`claims`, `link_proven`, `clear_wanted`), and what it tells
in two that it reads (`report`, `events`).
"""

from collections import namedtuple

from firmware.charging import limits, pilot, proximity, sequence
from firmware.charging.events import Ring
from firmware.charging.faults import RAIL_FALLING_MV, Faults, Situation
from firmware.charging.led import led
from firmware.charging.mode import Mode
from firmware.charging.session import Session
from firmware.charging.wires import SAFE, X1, F, Outputs

DUTY_CHANGE_MS = 5000  # changes of the offer keep this distance (IEC 61851-1 table A.6); a lower ceiling does not wait
SWITCH_MS = 60  # a change of the pilot's drive reaches the plateaus within this: one sample, one step
REPORT_MS = 500  # energy and power are this fresh; a change of anything else is reported at once

# What link and console are told. state: "A1".."F"; amps: offered now; ruling: who limits it, and why
Report = namedtuple("Report", "phase state mode faults contactor amps power_w total_wh session_wh ruling")
# kind and what: "fault" (name, is it set), "mode" its name, "tamper" is it open, "session" a session.Record
Event = namedtuple("Event", "at_ms kind what")


class Controller:
    def __init__(self, now_ms, installer_max_a, tethered):
        self.installer_max_a = installer_max_a
        self.claims = ()  # limits.Claim; replaced whole by the link
        self.link_proven = False  # written by the link
        self.clear_wanted = False  # set by the console, reset here
        self.events = Ring()
        self.outputs = SAFE
        self.phase = "idle"
        self._phase_ms = now_ms
        self._situation = Situation()
        self._situation.tethered = tethered
        self._faults = Faults()
        self._mode = Mode(now_ms)
        self._session = None
        self._switched_ms = now_ms
        self._offered_ms = now_ms - DUTY_CHANGE_MS
        self._button = False
        self._tamper = False
        self._ruling = limits.Ruling(0, "boot", "no reading yet")
        self._report_ms = now_ms
        self.report = Report(self.phase, None, self._mode.now, (), False, 0, 0, 0, 0, self._ruling)

    def step(self, now_ms, inputs):
        """One step: read `inputs`, decide, return the Outputs that hold until the next one."""
        if inputs.rail_mv < RAIL_FALLING_MV:
            return self._hold(now_ms)
        self._read_pilot(now_ms, inputs)
        changed = self._check_faults(now_ms, inputs) or self._situation.state != self.report.state
        self._ruling = limits.rule(self._ceilings(inputs), self.claims, now_ms)
        situation = self._situation
        happened = sequence.event(
            self.phase,
            now_ms - self._phase_ms,
            situation.state,
            self._faults.names,
            self._ruling.amps,
            inputs.current_ma,
        )
        if happened:
            self.phase, self._phase_ms = sequence.follow(self.phase, happened), now_ms
        if self._mode.step(now_ms, self.link_proven):
            self._notice(now_ms, "mode", self._mode.now)
            changed = True
        self._follow_session(now_ms, inputs)
        self._drive(now_ms)
        if changed or happened or now_ms - self._report_ms >= REPORT_MS:
            self._tell(now_ms, inputs)
        return self.outputs

    def _hold(self, now_ms):
        """Our own supply is not there (yet, or any more): everything open, no fault, no judgement; begin again after it."""
        self.phase, self._phase_ms = "idle", now_ms
        self._situation.drive, self._situation.contactor = None, False
        self.outputs = SAFE
        return SAFE

    def _read_pilot(self, now_ms, inputs):
        situation = self._situation
        state = pilot.read(inputs.pilot_high_mv, inputs.pilot_low_mv, situation.drive == sequence.PWM)
        if state is None and now_ms - self._switched_ms < SWITCH_MS:
            return  # the plateaus still show the drive of before: the state of before stands
        situation.state = state

    def _check_faults(self, now_ms, inputs):
        pressed = inputs.button and not self._button
        self._button = inputs.button
        if self.clear_wanted:
            self.clear_wanted, pressed = False, True
        came, went = self._faults.step(now_ms, inputs, self._situation, pressed)
        for name in came:
            self._notice(now_ms, "fault", (name, True))
        for name in went:
            self._notice(now_ms, "fault", (name, False))
        if inputs.tamper != self._tamper:
            self._tamper = inputs.tamper
            self._notice(now_ms, "tamper", inputs.tamper)
        return bool(came or went)

    def _ceilings(self, inputs):
        installer = ("installer", self.installer_max_a)
        if self._situation.tethered:
            return (installer,)
        return (installer, ("cable", proximity.rating_a(inputs.proximity_ohm) or 0))

    def _follow_session(self, now_ms, inputs):
        """A session lasts from plug to unplug, through faults and pauses."""
        band = self._situation.state[0] if self._situation.state else None
        if self._session:
            self._session.meter(inputs.meter_wh)
            if band == "A":
                self._notice(now_ms, "session", self._session.end(now_ms, "unplugged"))
                self._session = None
                self._faults.forgive()
        elif band in sequence.VEHICLE:
            self._session = Session(now_ms, inputs.meter_wh)

    def _drive(self, now_ms):
        """The outputs of the phase."""
        drive, contactor = sequence.DRIVES[self.phase]
        situation = self._situation
        if drive != situation.drive:
            self._switched_ms = now_ms
        situation.limit_a = self._offer_a(now_ms) if drive == sequence.PWM else 0
        situation.drive, situation.contactor = drive, contactor
        if drive == sequence.PWM:
            duty_u16 = pilot.duty_u16(situation.limit_a)
        else:
            duty_u16 = X1 if drive == sequence.STEADY else F
        colour = led(self.phase, self._faults.names, self._mode.now != "standalone", now_ms)
        self.outputs = Outputs(duty_u16, contactor, colour, False)

    def _offer_a(self, now_ms):
        """The amperes to offer: a new wish waits until the last one is 5 s old, a lower ceiling does not wait."""
        offered_a, wanted_a = self._situation.limit_a, self._ruling.amps
        if wanted_a == offered_a:
            return offered_a
        urgent = wanted_a < offered_a and self._ruling.source not in limits.PRIORITY
        if offered_a and not urgent and now_ms - self._offered_ms < DUTY_CHANGE_MS:
            return offered_a
        self._offered_ms = now_ms
        return wanted_a

    def _notice(self, now_ms, kind, what):
        self.events.put(Event(now_ms, kind, what))

    def _tell(self, now_ms, inputs):
        self._report_ms = now_ms
        situation = self._situation
        self.report = Report(
            self.phase,
            situation.state,
            self._mode.now,
            self._faults.names,
            situation.contactor,
            situation.limit_a,
            inputs.power_w,
            inputs.meter_wh,
            self._session.energy_wh() if self._session else 0,
            self._ruling,
        )
