"""The calibration of a unit's pilot input: a straight line through pairs of read and true levels. Pure.

The firmware multiplies the level that the board's conversion gives by `pilot_gain_permille` and adds `pilot_zero_mv`
(firmware/boards/board.py). The bounds of both are so narrow that the level of one state never reads as another state.
"""

from collections.abc import Sequence
from typing import NamedTuple

from hil_tests.station.errors import UnitFailed

GAIN_PERMILLE = (950, 1050)  # firmware/storage/bounds.py rejects values outside
ZERO_MV = (-300, 300)
APART_MV = 3_000  # minimum span of the levels; with less, noise would determine the slope


class Calibration(NamedTuple):
    """The two settings of the unit."""

    pilot_gain_permille: int = 1000
    pilot_zero_mv: int = 0

    def applied(self, level_mv: float) -> float:
        """Return what a unit with this calibration reads, in mV, where an uncalibrated unit reads `level_mv`."""
        return level_mv * self.pilot_gain_permille / 1000 + self.pilot_zero_mv


def fit(levels: Sequence[tuple[float, float]]) -> Calibration:
    """Fit (read, true) pairs in mV by least squares; the unit must have no calibration while it reads.

    Raises UnitFailed if the unit's reading does not follow the level, or if the result is out of bounds.
    """
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
                f"the pilot input would need a gain of {found.pilot_gain_permille} permille and {found.pilot_zero_mv} mV, "
                "which is out of bounds: check divider and offset of the pilot input"
            )
    return found
