"""Objects with only those fields of the charging that the link reads, so that other new fields need no change here."""

from firmware.charging.limits import Ruling


class Report:
    """Replaces charging.controller.Report."""

    def __init__(
        self, state="A1", mode="smart", faults=(), contactor=False, amps=0, power_w=0, total_wh=0, ruling=None
    ):
        self.state, self.mode, self.faults, self.contactor = state, mode, faults, contactor
        self.amps, self.power_w, self.total_wh = amps, power_w, total_wh
        self.ruling = ruling or Ruling(amps, None, None, None)  # default: as from a firmware without rulings


class SessionRecord:
    """Replaces charging.session.Record."""

    def __init__(self, number, start_ms, end_ms, energy_wh, why):
        self.number, self.start_ms, self.end_ms = number, start_ms, end_ms
        self.energy_wh, self.why = energy_wh, why
