"""One charging session: from plug to unplug, with its energy."""

from collections import namedtuple

# start_ms, end_ms on the unit's monotonic clock; energy from the meter's register; why it ended
Record = namedtuple("Record", "start_ms end_ms energy_wh why")


class Session:
    def __init__(self, now_ms, meter_wh):
        self.start_ms = now_ms
        self._start_wh = meter_wh
        self._latest_wh = meter_wh

    def energy_wh(self):
        return self._latest_wh - self._start_wh

    def meter(self, meter_wh):
        """Take a reading; one that runs backwards (a meter that restarted, a lost bit) never takes energy away."""
        if meter_wh < self._latest_wh:
            self._start_wh -= self._latest_wh - meter_wh
        self._latest_wh = meter_wh

    def end(self, now_ms, why):
        return Record(self.start_ms, now_ms, self.energy_wh(), why)
