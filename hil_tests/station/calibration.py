"""The calibration of a unit's view of its pilot: the straight line through what it read and what was there. Pure.

The firmware reads a level as its board's arithmetic has it, times `pilot_gain_permille`, plus `pilot_zero_mv`
(firmware/boards/board.py), both within bounds in which no level of one state reads as another.
"""

from collections.abc import Sequence
from typing import NamedTuple

from hil_tests.station.errors import UnitFailed

GAIN_PERMILLE = (950, 1050)  # firmware/storage/bounds.py, which refuses what is outside
ZERO_MV = (-300, 300)
APART_MV = 3_000  # the levels must span this much, or noise would draw the line


class Calibration(NamedTuple):
    """As the unit's settings have it."""

    pilot_gain_permille: int = 1000
    pilot_zero_mv: int = 0

    def applied(self, level_mv: float) -> float:
        """What the unit makes of a level that an uncalibrated one would read."""
        return level_mv * self.pilot_gain_permille / 1000 + self.pilot_zero_mv


def fit(levels: Sequence[tuple[float, float]]) -> Calibration:
    """Of (read, really there) pairs in mV, read without any calibration, by least squares. Raises UnitFailed where no
    calibration that the unit takes makes them agree."""
    read = [pair[0] for pair in levels]
    if max(read) - min(read) < APART_MV:
        raise UnitFailed("the unit's reading of its pilot does not follow the pilot: check the wire of the pilot input")
    middle_read, middle_there = sum(read) / len(levels), sum(pair[1] for pair in levels) / len(levels)
    spread = sum((one - middle_read) ** 2 for one in read)
    together = sum((one - middle_read) * (there - middle_there) for one, there in levels)
    gain = together / spread
    found = Calibration(round(1000 * gain), round(middle_there - gain * middle_read))
    for value, (least, most) in ((found.pilot_gain_permille, GAIN_PERMILLE), (found.pilot_zero_mv, ZERO_MV)):
        if not least <= value <= most:
            raise UnitFailed(
                f"the pilot input needs a gain of {found.pilot_gain_permille} permille and {found.pilot_zero_mv} mV, "
                "more than a calibration may: check divider and offset of the pilot input"
            )
    return found
