"""When the next heartbeat is due. Pure (design, section 4.1)."""

if False:  # for mypy alone
    from firmware.charging.exchange import Report


class HeartbeatTimer:
    def __init__(self, idle_s: int, charging_s: int) -> None:
        self.idle_s = idle_s
        self.charging_s = charging_s
        self._told: tuple[object, ...] | None = None  # what the last acknowledged heartbeat said
        self._told_ms = 0

    def due(self, now_ms: int, report: "Report") -> bool:
        """True at the end of the interval, and at once on a change of state, fault or mode."""
        if self._told is None or self._told != _essence(report):
            return True
        interval_s = self.charging_s if report.contactor else self.idle_s
        return now_ms - self._told_ms >= interval_s * 1000

    def told(self, now_ms: int, report: "Report") -> None:
        """The heartbeat made of `report` was acknowledged."""
        self._told, self._told_ms = _essence(report), now_ms


def _essence(report: "Report") -> "tuple[object, ...]":
    return (report.state, report.mode == "standalone", report.faults)
