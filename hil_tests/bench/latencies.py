"""The results of the latency benchmark, and how to print them."""

from collections import Counter
from dataclasses import dataclass, field

LIMIT_MS = 40  # the standard permits 100 (IEC 61851-1 table A.6, sequences 7 and 8.1)
BUCKET_MS = 5
BAR = 50

Milliseconds = dict[str, list[float]]


@dataclass
class Latencies:
    """The results of one unit, or of several together."""

    by_cause: Milliseconds = field(default_factory=dict)  # by the injected cause
    by_doing: Milliseconds = field(default_factory=dict)  # what else the firmware was doing; may be several
    missed: list[str] = field(
        default_factory=list
    )  # injections that opened nothing, and charges that did not start again
    stalls: Counter[str] = field(default_factory=Counter)  # of the modem, by the command that it did not answer
    steps: Counter[int] = field(default_factory=Counter)  # of the control loop, by ms since the step before
    minutes: float = 0
    restarts: int = 0  # unexpected restarts of the firmware
    looks: int = 0  # polls of the link's state
    proven: int = 0  # polls at which TLS and MQTT were up
    machine_worst_ms: int = 0  # yardstick.py

    def add(self, cause: str, ms: float, doing: list[str]) -> None:
        """Add one injection."""
        self.by_cause.setdefault(cause, []).append(ms)
        for what in doing:
            self.by_doing.setdefault(what, []).append(ms)

    def join(self, other: "Latencies") -> None:
        """Add the results of another unit that ran at the same time."""
        for mine, theirs in ((self.by_cause, other.by_cause), (self.by_doing, other.by_doing)):
            for what, times in theirs.items():
                mine.setdefault(what, []).extend(times)
        self.missed += other.missed
        for command, count in other.stalls.items():
            self.stalls[command] += count
        self.steps += other.steps
        self.minutes = max(self.minutes, other.minutes)
        self.restarts += other.restarts
        self.looks += other.looks
        self.proven += other.proven

    def times(self) -> list[float]:
        """Return the times of all injections, sorted."""
        return sorted(ms for times in self.by_cause.values() for ms in times)

    def held(self) -> bool:
        """Return whether the promise was kept."""
        times = self.times()
        return bool(times) and times[-1] <= LIMIT_MS and not self.missed and not self.restarts

    def report(self) -> list[str]:
        """Return the lines to print."""
        times = self.times()
        if not times:
            return ["nothing was injected", *self.missed]
        lines = [f"fault or unplug on the wires -> command to open the contactor, {len(times)} injections"]
        for start in range(0, int(times[-1]) + 1, BUCKET_MS):
            count = sum(start <= ms < start + BUCKET_MS for ms in times)
            lines.append(f"  {start:3} .. {start + BUCKET_MS:3} ms {count:6} {'#' * -(-BAR * count // len(times))}")
        p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
        lines.append(f"  p50 {p50:.1f}  p99 {p99:.1f}  worst {times[-1]:.1f} ms, limit {LIMIT_MS} ms")
        lines.append(f"  not answered: {len(self.missed)}; restarts of the firmware: {self.restarts}")
        lines += [f"    {what}" for what in self.missed[:10]]
        for title, table in (("by what was injected", self.by_cause), ("by what else was under way", self.by_doing)):
            lines.append(f"  {title}")
            lines += [f"    {what:28} {len(some):6}  worst {max(some):5.1f} ms" for what, some in sorted(table.items())]
        return lines + self._stalled() + self._jitter()

    def _stalled(self) -> list[str]:
        kinds = sorted(command for command, count in self.stalls.items() if count)
        never = sorted(command for command, count in self.stalls.items() if not count)
        return [
            f"the modem fell silent {self.stalls.total()} times, in {len(kinds)} kinds of wait: {' '.join(kinds)}",
            f"  in none of: {' '.join(never) or '-'}",
        ]

    def _jitter(self) -> list[str]:
        count = self.steps.total()
        return [
            f"steps of the control loop, meant to be 20 ms apart, by the units' own clocks: {count} in {self.minutes:.1f} min",
            f"  p50 {self._quantile(0.5)}  p99 {self._quantile(0.99)}  p99.99 {self._quantile(0.9999)}  "
            f"worst {max(self.steps, default=0)} ms",
            f"beside them an idle loop of MicroPython: worst {self.machine_worst_ms} ms, which is the machine's",
            f"TLS and MQTT were up in {self.proven} of {self.looks} looks",
        ]

    def _quantile(self, part: float) -> int:
        left = part * self.steps.total()
        for apart_ms, count in sorted(self.steps.items()):
            left -= count
            if left <= 0:
                return apart_ms
        return 0
