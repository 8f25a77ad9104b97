"""Decides whether a new version has proved itself. Pure.

A version is good after it has run for 10 minutes, and either the cloud has acknowledged a message, or a charge has started and
ended without a fault. A missing network is no reason to roll back, because a unit may be without one for weeks. Two things
count against a version: unrequested restarts, which the starter detects, and a late control loop, which is detected here.
"""

if False:  # for mypy alone
    from firmware.charging.exchange import Exchange

LIVED_MS = 600000
SETTLED_MS = 86400000  # long enough to roll back from a version that hangs only after hours
LATE_MS = 1000  # the time after which the hardware guard opens the contactor (boards/board.py)


class Trial:
    def __init__(self, began_ms: int, state: str) -> None:
        """`began_ms`: start of the version; `state`: that of the record, "trial" or "good"."""
        self._began_ms = began_ms
        self._state = state
        self._closed = False  # the contactor is closed in a charge without a fault so far
        self._proven = False

    def look(self, now_ms: int, exchange: "Exchange") -> "str | None":
        """Return the result, "late", "proved" or "lived", each of them once; None if there is none yet."""
        if self._state not in ("trial", "good"):
            return None
        if exchange.worst_ms >= LATE_MS:
            self._state = "late"
            return "late"
        self._watch(exchange)
        lived_ms = now_ms - self._began_ms
        if self._state == "trial" and self._proven and lived_ms >= LIVED_MS:
            self._state = "good"
            return "proved"
        if self._state == "good" and lived_ms >= SETTLED_MS:
            self._state = "settled"
            return "lived"
        return None

    def _watch(self, exchange: "Exchange") -> None:
        report = exchange.report
        self._proven = (
            self._proven or exchange.link_proven or (self._closed and not report.contactor and not report.faults)
        )
        self._closed = report.contactor and not report.faults
