"""When the next heartbeat is due. Pure (design, section 4.1).

A change of what is in force is told at once, and so is a change of its end, unless a random delay runs: `r` counts that.
"""

if False:  # for mypy alone
    from firmware.charging.exchange import Report
    from firmware.charging.limits import InForce


class HeartbeatTimer:
    def __init__(self, idle_s: int, charging_s: int) -> None:
        self.idle_s = idle_s
        self.charging_s = charging_s
        self._told: tuple[object, ...] | None = None  # what the last acknowledged heartbeat said
        self._told_ms = 0

    def due(self, now_ms: int, report: "Report", in_force: "InForce") -> bool:
        """True at the end of the interval, and at once on a change of state, fault or mode, or of what is in force."""
        if self._told is None or self._told != _essence(report, in_force):
            return True
        interval_s = self.charging_s if report.contactor else self.idle_s
        return now_ms - self._told_ms >= interval_s * 1000

    def told(self, now_ms: int, report: "Report", in_force: "InForce") -> None:
        """The heartbeat made of both was acknowledged."""
        self._told, self._told_ms = _essence(report, in_force), now_ms


def _essence(report: "Report", in_force: "InForce") -> "tuple[object, ...]":
    amps, source, _, ends_s = in_force.ruling
    delayed = in_force.delay_s > 0
    ruling = amps, source, None if delayed else ends_s, in_force.also, delayed
    return (report.state, report.mode == "standalone", report.faults, ruling)
