"""Connects the charging control and the flash. In the pauses of the main thread, four times a second and when the faults
change, it renews the claims, stores a record of each session that ended, and stores in a checkpoint the state that must
survive a power cut.

Nothing is written while the unit's own supply collapses.
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
SOON_MS = 300000  # a restart this soon after a closing may be due to a supply that fails under load


class Persistence:
    def __init__(
        self,
        exchange: "Exchange",
        claim_manager: "ClaimManager",
        checkpoint: "Checkpoint",
        wall_clock: "WallClock",
        flash: str,
    ) -> None:
        self.lost_writes = 0  # writes that the flash refused
        self._exchange = exchange
        self._closed_ms: int | None = None  # time of the last closing of the contactor
        self._closed = 0  # 1 if the contactor has closed since the start, or was about to close
        self._claim_manager = claim_manager
        self._claims = claim_manager.claims
        self._checkpoint = checkpoint
        self._flash = flash
        self._wall_clock = wall_clock
        self._polled_ms = -EVERY_MS  # due at once: the charging control waits for the first claims
        self._faults: tuple[str, ...] = ()  # faults at that time
        resumed = claim_manager.resumed
        # Number of a session, and its start in UTC or None:
        self._began: tuple[int | None, int | None] = resumed, checkpoint.number("began_s", None)
        self._astray = self._began[1] is not None  # the session's start does not include the duration of the power cut
        self._kept: list[int | None] = [None] * 4  # the session's values that were stored last
        self._ordered = self._claims.cloud  # the claim of the cloud, and its stored form
        self._ordered_kept = checkpoint.value.get("cloud") if self._ordered else None
        # The part of the last checkpoint whose change requires a write at once:
        ordered = self._ordered_kept
        self._essence = (resumed, self._claims.override, 0, checkpoint.value.get("latched", []), ordered, 0)

    def poll(self) -> None:
        """Do what is due; call in every pause of the main thread. A refused write is counted in `lost_writes`."""
        now_ms = self._wall_clock.now_ms()
        report = self._exchange.report
        is_due = now_ms - self._polled_ms >= EVERY_MS or report.faults is not self._faults
        if not is_due or not self._exchange.powered or report.total_wh is None:
            return  # not due, the supply collapses, or the meter was not read yet
        self._polled_ms, self._faults = now_ms, report.faults
        if self._astray and report.session and report.session.number == self._claim_manager.resumed:
            self._set_right(now_ms)
        self._claim_manager.step(now_ms, report)
        try:
            self._log_sessions()
            self._keep(now_ms, report)
        except OSError:
            self.lost_writes += 1  # reported by `health` and in heartbeats; charging does not depend on it

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
        """Correct the start of a session that a power cut interrupted, so that it includes the duration of the cut."""
        now_s, began_s = self._wall_clock.now(), self._began[1]
        if now_s is not None and began_s is not None:
            self._exchange.began_ms = now_ms - (now_s - began_s) * 1000
            self._astray = False

    def _began_s(self, session: "Kept") -> "int | None":
        """Return the start of the session, UTC, or None. Once known it does not change, so that a corrected clock causes no
        write.
        """
        if session.number != self._began[0] or self._began[1] is None:
            self._began = session.number, self._wall_clock.at(session.start_ms)
        return self._began[1]

    def _to_keep(self, now_ms: int, session: "Kept") -> "list[int | None]":
        """Return the values of a session that survive a power cut. They change only while charging, so that an idle session
        causes no writes.
        """
        number, _, charging_s, _ = self._kept
        if (number, charging_s) != (session.number, session.charging_s):
            lasted_s = (now_ms - session.start_ms) // 1000
            self._kept = [session.number, lasted_s, session.charging_s, session.start_wh]
        return self._kept

    def _ordered_to_keep(self, now_ms: int) -> "list[int] | None":
        """Return the values of the cloud's claim that survive a power cut: amps, end (UTC), and original duration, seconds.

        None if there is no such claim, or it has expired or has no end.
        """
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
        # The first closing since the start is stored before it happens, because a supply that fails under load restarts the
        # unit.
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
    """Return the cloud's claim from before a restart, or None. It is valid for its original duration from now, or until its
    end once the time is known (Claims.clock_set).
    """
    stored = checkpoint.value.get("cloud")
    if not isinstance(stored, list) or len(stored) != 3 or not all(isinstance(value, int) for value in stored):
        return None
    amps, ends_s, lasts_s = stored
    return Claim("cloud", amps, now_ms + lasts_s * 1000, "ordered by the cloud", ends_s)


def restore(
    checkpoint: "Checkpoint", now_ms: int, sessions: int = 0, latched: "tuple[str, ...] | None" = None
) -> Restored:
    """Return the state that the charging control restores after a restart; that of a new unit if the checkpoint is empty.

    `sessions`: number of the last session in the session log; `latched`: faults that remain latched, None for those of the
    checkpoint.
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
    """Return the contactor's wear from before a restart. If the restart came soon after a closing, no closing is forgiven: the
    supply may have failed under load. Otherwise a person has switched the unit off and on, and all are forgiven.
    """
    return Wear(checkpoint.number("closings"), checkpoint.number("owed") if checkpoint.number("closed") else 0)
