"""One charging session: from plug to unplug, with its energy, through faults, pauses and power cuts."""

from collections import namedtuple

# number: counts the unit's sessions, from 1; start_ms, end_ms: on the unit's monotonic clock (start_ms may lie before its
# boot); charging_s: with the contactor closed; why: it ended
Record = namedtuple("Record", "number start_ms end_ms charging_s energy_wh why")
# What of a session survives a power cut; start_ms as in Record.
Kept = namedtuple("Kept", "number start_ms charging_s start_wh")


class Session:
    def __init__(self, number, start_ms, start_wh, charging_s=0):
        self.number = number
        self.start_ms = start_ms  # corrected by the controller, when the time is known again after a power cut
        self.start_wh = start_wh  # the unit's total at the start
        self.energy_wh = 0
        self._charging_ms = charging_s * 1000
        self._stepped_ms = None

    def step(self, now_ms, total_wh, contactor):
        self.energy_wh = total_wh - self.start_wh
        if contactor and self._stepped_ms is not None:
            self._charging_ms += now_ms - self._stepped_ms
        self._stepped_ms = now_ms

    def kept(self):
        return Kept(self.number, self.start_ms, self._charging_ms // 1000, self.start_wh)

    def end(self, now_ms, why):
        return Record(self.number, self.start_ms, now_ms, self._charging_ms // 1000, self.energy_wh, why)


def resume(kept):
    """The session of before the power cut."""
    return Session(kept.number, kept.start_ms, kept.start_wh, kept.charging_s)
