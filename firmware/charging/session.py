"""A charging session, from plugging in to unplugging, including faults, pauses and power cuts. Pure."""

from collections import namedtuple

# number: of the unit's sessions, from 1; start_ms, end_ms: uptime (start_ms may be before the boot); charging_s: with the
# contactor closed; why: reason of the end
Record = namedtuple("Record", "number start_ms end_ms charging_s energy_wh why")
# State of a session that survives a power cut; start_ms as in Record.
Kept = namedtuple("Kept", "number start_ms charging_s start_wh")


class Session:
    """The running session. `energy_wh`: since its start; `charging_s`: seconds with the contactor closed."""

    def __init__(self, number: int, start_ms: int, start_wh: int, charging_s: int = 0) -> None:
        self.number = number
        self.start_ms = start_ms  # corrected by the controller when the time is known after a power cut
        self.start_wh = start_wh  # the unit's total at the start
        self.energy_wh = 0
        self.charging_s = charging_s
        self._charging_ms = 0  # beyond `charging_s`
        self._stepped_since_ms: int | None = None

    def step(self, now_ms: int, total_wh: int, contactor: bool) -> None:
        """Update energy and charging time. `contactor`: closed since the last step."""
        self.energy_wh = total_wh - self.start_wh
        if contactor and self._stepped_since_ms is not None:
            self._charging_ms += now_ms - self._stepped_since_ms
            if self._charging_ms >= 1000:
                self.charging_s += self._charging_ms // 1000
                self._charging_ms %= 1000
        self._stepped_since_ms = now_ms

    def kept(self) -> Kept:
        """Return the state for the checkpoint."""
        return Kept(self.number, self.start_ms, self.charging_s, self.start_wh)

    def end(self, end_ms: int, why: str) -> Record:
        """Return the record of the session, which ends at `end_ms`, uptime, for the reason `why`."""
        return Record(self.number, self.start_ms, end_ms, self.charging_s, self.energy_wh, why)


def resume(kept: Kept) -> Session:
    """Return the session that `kept` describes, to be continued after a power cut."""
    return Session(kept.number, kept.start_ms, kept.start_wh, kept.charging_s)
