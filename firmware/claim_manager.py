"""Collects the requests of owner, schedule, cloud and load manager as claims for the charging control."""

from firmware.charging import schedule

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.charging.claims import Claims
    from firmware.charging.exchange import Exchange, Report
    from firmware.storage.settings import Settings
    from firmware.wall_clock import WallClock


class ClaimManager:
    """Renews the claims and handles the button. `claims`: the state of all claims, also set by commands; `resumed`: number of
    the session that a power cut interrupted, or None.
    """

    def __init__(
        self,
        exchange: "Exchange",
        claims: "Claims",
        settings: "Settings",
        wall_clock: "WallClock",
        note: "Callable[[str, dict[str, object]], None]",
    ) -> None:
        """Create it before the control loop starts. `note(kind, details)` records an event in the journal."""
        self.claims = claims
        kept = exchange.report.session
        self.resumed = kept.number if kept else None
        self._exchange = exchange
        self._settings = settings
        self._wall_clock = wall_clock
        self._note = note
        self._presses = 0
        self._written: str | None = None  # the text of the schedule setting that `claims.hours` was read from

    def step(self, now_ms: int, report: "Report") -> None:
        """Renew the claims in the Exchange. Call several times a second."""
        if report.presses != self._presses:
            self._presses = report.presses
            self._pressed(report)
        session = report.session.number if report.session else None
        if self._settings["schedule"] != self._written:
            self._written = self._settings["schedule"]
            self.claims.hours = schedule.read(self._written)
        resumed = session is not None and session == self.resumed
        self._exchange.claims = self.claims.step(now_ms, self._wall_clock.now(), session, resumed)
        self._exchange.delay_s = self.claims.delay.left_s(now_ms)

    def override(self, wanted: bool) -> "str | None":
        """Set or withdraw the owner's "charge now" for the current session. Return the reason if it is refused, or None."""
        report = self._exchange.report
        if not wanted:
            self.claims.charge_now(None)
            return None
        why = "no vehicle" if report.session is None else "a fault is set" if report.faults else None
        if why is None:
            self.claims.charge_now(report.session.number)
        self._note("override", {"refused": why} if why else {"session": report.session.number})
        return why

    def _pressed(self, report: "Report") -> None:
        """Handle a press of the button without a fault: it toggles between "charge now" and the schedule."""
        if report.session:
            self.override(self.claims.override is None)
