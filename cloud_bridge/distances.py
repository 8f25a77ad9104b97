"""Miles or kilometres. Distances are stored in kilometres without rounding, and rounded once, for display. Pure."""

from enum import StrEnum

from cloud_bridge.time_zones import GREAT_BRITAIN
from cloud_bridge.words import formats
from cloud_bridge.words import gettext as _

KM_PER_MILE = 1.609344  # exact: the international yard, 1959


class Distances(StrEnum):
    """The unit in which a person reads distances."""

    MILES = "mi"
    KILOMETRES = "km"

    def words(self, distance_km: float) -> str:
        if self is Distances.MILES:
            return _("{number} miles").format(number=formats.number(distance_km / KM_PER_MILE))
        return f"{formats.number(distance_km)} km"


def usual(time_zone: str) -> Distances:
    """Return the default unit for a time zone: miles in Great Britain, kilometres elsewhere."""
    return Distances.MILES if time_zone in GREAT_BRITAIN else Distances.KILOMETRES
