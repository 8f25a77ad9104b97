"""Between the rules and the flash, in the pauses of the communication thread, four times a second and when the faults change:
the claims are renewed, a session that ended becomes a record, and what must survive a power cut a checkpoint.

Nothing is written while our own supply collapses.
"""

from firmware.charging.controller import Restored, Wear
from firmware.charging.faults import NEEDS_PERSON
from firmware.charging.limits import Claim
from firmware.charging.register import Register
from firmware.charging.session import Kept
from firmware.lazy_import import LazyImport

if False:  # for mypy alone
    from firmware.charging.exchange import Exchange, Report
    from firmware.claim_manager import ClaimManager
    from firmware.storage.checkpoint import Checkpoint
    from firmware.wall_clock import WallClock

EVERY_MS = 250
SOON_MS = 300000  # a restart that soon after a closing may be of a supply that fails under load


class Persistence:
    def __init__(
        self,
        exchange: "Exchange",
        claim_manager: "ClaimManager",
        checkpoint: "Checkpoint",
        wall_clock: "WallClock",
        flash: str,
    ) -> None:
        self.lost_writes = 0  # the flash did not take them
        self._exchange = exchange
        self._closed_ms: int | None = None  # the last closing
        self._closed = 0  # whether the contactor has closed since the start, or was about to
        self._claim_manager = claim_manager
        self._claims = claim_manager.claims
        self._checkpoint = checkpoint
        self._flash = flash
        self._wall_clock = wall_clock
        self._polled_ms = -EVERY_MS  # the rules wait for the first claims
        self._faults: tuple[str, ...] = ()  # then
        resumed = claim_manager.resumed
        # A session, and its beginning in UTC or None:
        self._began: tuple[int | None, int | None] = resumed, checkpoint.number("began_s", None)
        self._astray = self._began[1] is not None  # its clock stood still in the cut
        self._kept: list[int | None] = [None] * 4  # of the session, as it was stored last
        self._ordered = self._claims.cloud  # the claim of the cloud, and what is stored of it
        self._ordered_kept = checkpoint.value.get("cloud") if self._ordered else None
        # Of what was stored last:
        ordered = self._ordered_kept
        self._essence = (resumed, self._claims.override, 0, checkpoint.value.get("latched", []), ordered, 0)

    def poll(self) -> None:
        now_ms = self._wall_clock.now_ms()
        report = self._exchange.report
        is_due = now_ms - self._polled_ms >= EVERY_MS or report.faults is not self._faults
        if not is_due or not self._exchange.powered or report.total_wh is None:
            return  # or nothing was read yet
        self._polled_ms, self._faults = now_ms, report.faults
        if self._astray and report.session and report.session.number == self._claim_manager.resumed:
            self._set_right(now_ms)
        self._claim_manager.step(now_ms, report)
        try:
            self._log_sessions()
            self._keep(now_ms, report)
        except OSError:
            self.lost_writes += 1  # told by `status`; charging does not depend on it

    def _log_sessions(self) -> None:
        record = self._exchange.ended.take()
        if record:
            lasted_s = (record.end_ms - record.start_ms) // 1000
            start_s = self._wall_clock.at(record.start_ms) or 0
            with LazyImport():
                from firmware.storage import session_log

                stored = session_log.Stored(record.number, start_s, lasted_s, record.charging_s, record.energy_wh)
                session_log.SessionLog(self._flash).append(stored)

    def _set_right(self, now_ms: int) -> None:
        """The session of before the power cut began when it began, however long the mains were away."""
        now_s, began_s = self._wall_clock.now(), self._began[1]
        if now_s is not None and began_s is not None:
            self._exchange.began_ms = now_ms - (now_s - began_s) * 1000
            self._astray = False

    def _began_s(self, session: "Kept") -> "int | None":
        """When it began, UTC, or None; once it is known it stays, so that a clock that is corrected writes nothing."""
        if session.number != self._began[0] or self._began[1] is None:
            self._began = session.number, self._wall_clock.at(session.start_ms)
        return self._began[1]

    def _to_keep(self, now_ms: int, session: "Kept") -> "list[int | None]":
        """What of a session survives a cut; the same as long as nothing is charged, for that writes nothing either."""
        number, _, charging_s, _ = self._kept
        if (number, charging_s) != (session.number, session.charging_s):
            lasted_s = (now_ms - session.start_ms) // 1000
            self._kept = [session.number, lasted_s, session.charging_s, session.start_wh]
        return self._kept

    def _ordered_to_keep(self, now_ms: int) -> "list[int] | None":
        """What of the cloud's claim survives a cut: amps, end (UTC), and the seconds that it was to last when it came."""
        claim = self._claims.cloud
        if claim is not self._ordered:
            self._ordered, self._ordered_kept = claim, None
            if claim and claim.ends_s is not None:
                self._ordered_kept = [claim.amps, claim.ends_s, (claim.until_ms - now_ms) // 1000]
        if claim and now_ms >= claim.until_ms:
            self._ordered_kept = None
        return self._ordered_kept

    def _keep(self, now_ms: int, report: "Report") -> None:
        claims, session = self._claims, report.session
        latched = [name for name in report.faults if name in NEEDS_PERSON]
        ordered = self._ordered_to_keep(now_ms)
        # The first closing since the start is stored before it happens: a supply that fails under load restarts the unit.
        closing = int(report.phase == "closing")
        if closing:
            self._closed_ms = now_ms
        self._closed = self._closed or closing
        essence = (session.number if session else None, claims.override, claims.delays, latched, ordered, self._closed)
        value = {
            "session": self._to_keep(now_ms, session) if session else None,
            "began_s": self._began_s(session) if session else None,
            "sessions": session.number if session else self._checkpoint.number("sessions"),
            "total_wh": report.total_wh,
            "meter_wh": report.meter_wh,
            "delay_s": claims.delay.left_s(now_ms),
            "override": claims.override,
            "latched": latched,
            "cloud": ordered,
            "closings": self._exchange.closings + closing,
            "owed": self._exchange.owed + closing,
            "closed": int(self._closed_ms is not None and now_ms - self._closed_ms < SOON_MS),
        }
        self._checkpoint.save(now_ms, value, essence != self._essence)
        self._essence = essence


def ordered_before(checkpoint: "Checkpoint", now_ms: int) -> "Claim | None":
    """The cloud's claim of before a restart. It holds for as long as it was to last, or until its end once the time is known:
    Claims.clock_set.
    """
    stored = checkpoint.value.get("cloud")
    if not isinstance(stored, list) or len(stored) != 3 or not all(isinstance(value, int) for value in stored):
        return None
    amps, ends_s, lasts_s = stored
    return Claim("cloud", amps, now_ms + lasts_s * 1000, "ordered by the cloud", ends_s)


def restore(
    checkpoint: "Checkpoint", now_ms: int, sessions: int = 0, latched: "tuple[str, ...] | None" = None
) -> Restored:
    """What the charging goes on with after a restart; a new unit's when there is nothing to go by. `sessions` is the number of
    the last one in the session log, `latched` the faults that stay so; None: those of the checkpoint.
    """
    register = Register()
    if "total_wh" in checkpoint.value:
        register = Register(checkpoint.number("total_wh"), checkpoint.number("meter_wh"))
    kept, stored = None, checkpoint.value.get("session")
    if isinstance(stored, list) and len(stored) == 4 and all(isinstance(value, int) for value in stored):
        number, lasted_s, charging_s, start_wh = stored
        kept = Kept(number, now_ms - lasted_s * 1000, charging_s, start_wh)
    sessions = max(sessions, checkpoint.number("sessions"))
    if latched is None:
        latched = checkpoint.value.get("latched", ())
    return Restored(register, kept, sessions, latched)


def wear_before(checkpoint: "Checkpoint") -> Wear:
    """Of the contactor, before a restart. If that came soon after it had closed, nothing is forgiven: the supply may have
    failed under load. Else a person has switched it off and on.
    """
    return Wear(checkpoint.number("closings"), checkpoint.number("owed") if checkpoint.number("closed") else 0)
