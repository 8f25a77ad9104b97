"""Whether a new version has proved itself. Pure.

It is good after 10 minutes of life, with one message that the cloud has acknowledged, or one charge that began and ended as
it should. That no network is there is no reason to go back: a unit may be on its own for weeks. What counts against it are
restarts that nobody asked for, which the starter sees, and a control loop that was late, which is seen here.
"""

if False:  # for mypy alone
    from firmware.charging.exchange import Exchange

LIVED_MS = 600000
SETTLED_MS = 86400000  # one that hangs after an hour is gone back from too
LATE_MS = 1000  # the guard's own patience (boards/board.py)


class Trial:
    def __init__(self, began_ms: int, state: str) -> None:
        """`state` of the record: "trial" or "good"."""
        self._began_ms = began_ms
        self._state = state
        self._closed = False  # the contactor, in a charge without a fault so far
        self._proven = False

    def look(self, now_ms: int, exchange: "Exchange") -> "str | None":
        """What has come of it: "late", "proved", "lived", each once; None: nothing yet."""
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
