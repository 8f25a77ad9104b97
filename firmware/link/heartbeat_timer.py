"""Decides when the next heartbeat is due. Pure (design, section 4.1).

A change of the ruling or of its end is sent at once, except a change of the end while a random delay runs, because `r` in the
heartbeat has the remaining delay.
"""

if False:  # for mypy alone
    from firmware.charging.exchange import Report
    from firmware.charging.limits import InForce


class HeartbeatTimer:
    def __init__(self, idle_s: int, charging_s: int) -> None:
        self.idle_s = idle_s
        self.charging_s = charging_s
        self._told: tuple[object, ...] | None = None  # the essence of the last acknowledged heartbeat
        self._told_ms = 0

    def due(self, now_ms: int, report: "Report", in_force: "InForce") -> bool:
        """Return whether a heartbeat is due: after the interval, or at once after a change of state, fault, mode or ruling."""
        if self._told is None or self._told != _essence(report, in_force):
            return True
        interval_s = self.charging_s if report.contactor else self.idle_s
        return now_ms - self._told_ms >= interval_s * 1000

    def told(self, now_ms: int, report: "Report", in_force: "InForce") -> None:
        """Record that the heartbeat of this report and InForce was acknowledged."""
        self._told, self._told_ms = _essence(report, in_force), now_ms


def _essence(report: "Report", in_force: "InForce") -> "tuple[object, ...]":
    amps, source, _, ends_s = in_force.ruling
    delayed = in_force.delay_s > 0
    ruling = amps, source, None if delayed else ends_s, in_force.also, delayed
    return (report.state, report.mode == "standalone", report.faults, ruling)
