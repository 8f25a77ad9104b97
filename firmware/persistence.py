"""Between the rules and the flash, four times a second in the pauses of the communication thread: the wishes become
claims, the button the owner's override, a session that ended a record, and what must survive a power cut a checkpoint.

Nothing is written while our own supply collapses.
"""

from firmware.charging import schedule
from firmware.charging.faults import NEEDS_PERSON
from firmware.charging.register import Register
from firmware.charging.session import Kept
from firmware.lazy_import import LazyImport

EVERY_MS = 250
SESSION_LOG = "firmware.storage.session_log"  # borrowed: a session ends a few times a day


class Persistence:
    """`note(kind, details)` takes an event for the journal; `claims` is what the cloud may add its own to."""

    def __init__(self, controller, claims, settings, checkpoint, flash, clock, wall_clock, note, kept):
        self.claims = claims
        self.lost_writes = 0  # the flash did not take them
        self._controller = controller
        self._settings = settings
        self._checkpoint = checkpoint
        self._flash = flash
        self._clock = clock
        self._wall_clock = wall_clock
        self._note = note
        self._polled_ms = -EVERY_MS  # the rules wait for the first claims
        self._presses = 0
        self._resumed = kept.number if kept else None  # the session of before a power cut
        self._began = self._resumed, checkpoint.number("began_s", None)  # a session, and its beginning in UTC or None
        self._astray = self._began[1] is not None  # its clock stood still in the cut
        self._kept = [None] * 4  # of the session, as it was stored last
        self._written = None  # the schedule as it is written in the settings
        # Of what was stored last:
        self._essence = (self._resumed, claims.override, 0, checkpoint.value.get("latched", []))

    def poll(self):
        now_ms = self._clock.now_ms()
        if now_ms - self._polled_ms < EVERY_MS or not self._controller.powered:
            return
        if self._controller.report.total_wh is None:
            return  # nothing was read yet
        self._polled_ms = now_ms
        report = self._controller.report
        if report.presses != self._presses:
            self._presses = report.presses
            self._pressed(report)
        session = report.session.number if report.session else None
        if self._settings["schedule"] != self._written:
            self._written = self._settings["schedule"]
            self.claims.hours = schedule.read(self._written)
        resumed = session is not None and session == self._resumed
        if resumed and self._astray:
            self._set_right(now_ms)
        self._controller.claims = self.claims.step(now_ms, self._wall_clock.now(), session, resumed)
        try:
            self._log_sessions()
            self._keep(now_ms, report)
        except OSError:
            self.lost_writes += 1  # told by `status`; charging does not depend on it

    def override(self, wanted):
        """The owner wants this session charged now, or not any more. Returns why it is refused, or None."""
        report = self._controller.report
        if not wanted:
            self.claims.override = None
            return None
        why = "no vehicle" if report.session is None else "a fault is set" if report.faults else None
        if why is None:
            self.claims.override = report.session.number
        self._note("override", {"refused": why} if why else {"session": report.session.number})
        return why

    def _pressed(self, report):
        """A press of the button while no fault is set: charge now; pressed again, as scheduled."""
        if report.session:
            self.override(self.claims.override is None)

    def _log_sessions(self):
        record = self._controller.ended.take()
        if record:
            lasted_s = (record.end_ms - record.start_ms) // 1000
            start_s = self._wall_clock.at(record.start_ms) or 0
            with LazyImport(SESSION_LOG) as log:
                stored = log.Stored(record.number, start_s, lasted_s, record.charging_s, record.energy_wh)
                log.SessionLog(self._flash).append(stored)

    def _set_right(self, now_ms):
        """The session of before the power cut began when it began, however long the mains were away."""
        now_s = self._wall_clock.now()
        if now_s is not None:
            self._controller.began_ms = now_ms - (now_s - self._began[1]) * 1000
            self._astray = False

    def _began_s(self, session):
        """When it began, UTC, or None; once it is known it stays, so that a clock that is corrected writes nothing."""
        if session.number != self._began[0] or self._began[1] is None:
            self._began = session.number, self._wall_clock.at(session.start_ms)
        return self._began[1]

    def _to_keep(self, now_ms, session):
        """What of a session survives a cut; the same as long as nothing is charged, for that writes nothing either."""
        number, _, charging_s, _ = self._kept
        if (number, charging_s) != (session.number, session.charging_s):
            lasted_s = (now_ms - session.start_ms) // 1000
            self._kept = [session.number, lasted_s, session.charging_s, session.start_wh]
        return self._kept

    def _keep(self, now_ms, report):
        claims, session = self.claims, report.session
        latched = [name for name in report.faults if name in NEEDS_PERSON]
        essence = (session.number if session else None, claims.override, claims.delays, latched)
        value = {
            "session": self._to_keep(now_ms, session) if session else None,
            "began_s": self._began_s(session) if session else None,
            "sessions": session.number if session else self._checkpoint.number("sessions"),
            "total_wh": report.total_wh,
            "meter_wh": report.meter_wh,
            "delay_s": claims.delay.left_s(now_ms),
            "override": claims.override,
            "latched": latched,
        }
        self._checkpoint.save(now_ms, value, essence != self._essence)
        self._essence = essence


def restore(checkpoint, now_ms):
    """(Register, Kept or None) of before the power cut; a new unit's when there is nothing to go by."""
    register = Register()
    if "total_wh" in checkpoint.value:
        register = Register(checkpoint.number("total_wh"), checkpoint.number("meter_wh"))
    stored = checkpoint.value.get("session")
    whole = isinstance(stored, list) and len(stored) == 4 and all(isinstance(value, int) for value in stored)
    if not whole:
        return register, None
    number, lasted_s, charging_s, start_wh = stored
    return register, Kept(number, now_ms - lasted_s * 1000, charging_s, start_wh)
