"""The hardware guard of a contactor on a charge point's carrier board: comparators, a monostable and a latch.

The guard passes the contactor's drive only while the upper level of the pilot is in C or D, the residual current sensor
does not trip, and the microcontroller's live line has moved within the last second. No program takes part. What the
guard opens stays open until the microcontroller withdraws its drive, so the contactor does not chatter if the cause
ends with the current.
"""

PILOT_WINDOW_MV = (1_500, 7_500)  # between E (0 +-1 V) and D (3 +-1 V), and between C (6 +-1 V) and B (9 +-1 V)
PILOT_FILTER_S = 0.050  # passes two disturbed readings; with the contacts' own time, 65 of the permitted 100 ms
RCD_FILTER_S = 0.002
MONOSTABLE_S = 1.0  # longer than a stall of the microcontroller's port, and short enough for a dead program


class HardwareGuard:
    """A guard. `step` advances the time; `drives` is what reaches the coil."""

    def __init__(self) -> None:
        self._live_for_s = 0.0  # rest of the monostable's pulse
        self._outside_for_s = PILOT_FILTER_S
        self._trips_for_s = 0.0
        self._latched = False
        self._driven = False

    @property
    def open(self) -> bool:
        """Whether the guard blocks the drive."""
        return self._latched or not self._holds()

    @property
    def drives(self) -> bool:
        """Whether the coil has its current."""
        return self._driven and not self.open

    def move_live_line(self) -> None:
        """Handle an edge on the live line, up or down."""
        self._live_for_s = MONOSTABLE_S

    def step(self, elapsed_s: float, pilot_high_mv: int, rcd_trips: bool, driven: bool) -> None:
        """Advance by `elapsed_s`. `driven` is the microcontroller's own drive of the contactor."""
        low_mv, high_mv = PILOT_WINDOW_MV
        inside = low_mv < pilot_high_mv < high_mv
        self._live_for_s = max(0.0, self._live_for_s - elapsed_s)
        self._outside_for_s = 0.0 if inside else self._outside_for_s + elapsed_s
        self._trips_for_s = self._trips_for_s + elapsed_s if rcd_trips else 0.0
        self._driven = driven
        self._latched = driven and (self._latched or not self._holds())

    def _holds(self) -> bool:
        pilot_holds = self._outside_for_s < PILOT_FILTER_S
        return pilot_holds and self._trips_for_s < RCD_FILTER_S and self._live_for_s > 0
