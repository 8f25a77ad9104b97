"""What owner, schedule, cloud and load manager ask for, as claims for the rules of charging; the button is the owner's."""

from firmware.charging import schedule

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.charging.claims import Claims
    from firmware.charging.exchange import Exchange, Report
    from firmware.storage.settings import Settings
    from firmware.wall_clock import WallClock


class ClaimManager:
    """`claims` is what the cloud may add its own to; `resumed` the session of before a power cut, or None."""

    def __init__(
        self,
        exchange: "Exchange",
        claims: "Claims",
        settings: "Settings",
        wall_clock: "WallClock",
        note: "Callable[[str, dict[str, object]], None]",
    ) -> None:
        """Made before the control loop starts. `note(kind, details)` takes an event for the journal."""
        self.claims = claims
        kept = exchange.report.session
        self.resumed = kept.number if kept else None
        self._exchange = exchange
        self._settings = settings
        self._wall_clock = wall_clock
        self._note = note
        self._presses = 0
        self._written: str | None = None  # the schedule as it is written in the settings

    def step(self, now_ms: int, report: "Report") -> None:
        """Renew the claims; a few times a second."""
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
        """The owner wants this session charged now, or not any more. Returns why it is refused, or None."""
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
        """A press of the button while no fault is set: charge now; pressed again, as scheduled."""
        if report.session:
            self.override(self.claims.override is None)
