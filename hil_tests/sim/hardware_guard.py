"""The guard of a contactor, as the carrier of a charge point has it: comparators, a monostable and a latch.

It holds the contactor's drive only while the upper plateau of the pilot is in C or D, the residual current sensor does not
trip, and the live line of the microcontroller has moved within the last second. No program takes part: what the guard
opens stays open until the microcontroller withdraws its drive, so a cause that goes away with the current does not let the
contactor chatter.
"""

PILOT_WINDOW_MV = (1_500, 7_500)  # between E (0 +-1 V) and D (3 +-1 V), and between C (6 +-1 V) and B (9 +-1 V)
PILOT_FILTER_S = 0.050  # two disturbed readings of the rules pass; with the contacts it is 65 of the 100 ms
RCD_FILTER_S = 0.002
MONOSTABLE_S = 1.0  # longer than a stall of the microcontroller's port, short enough for a dead program


class HardwareGuard:
    """`step` moves it on in time. `drives` is what reaches the coil."""

    def __init__(self) -> None:
        self._live_for_s = 0.0  # what is left of the monostable's pulse
        self._outside_for_s = PILOT_FILTER_S
        self._trips_for_s = 0.0
        self._latched = False
        self._driven = False

    @property
    def open(self) -> bool:
        """It does not let the drive pass."""
        return self._latched or not self._holds()

    @property
    def drives(self) -> bool:
        """The coil has its current."""
        return self._driven and not self.open

    def move_live_line(self) -> None:
        """An edge on the live line, up or down."""
        self._live_for_s = MONOSTABLE_S

    def step(self, elapsed_s: float, pilot_high_mv: int, rcd_trips: bool, driven: bool) -> None:
        """Moves on by some milliseconds. `driven` is the microcontroller's own wish for the contactor."""
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
