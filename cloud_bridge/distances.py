"""Miles or kilometres. Distances are kept in kilometres, not rounded, and rounded once, where they are shown. Pure."""

from enum import StrEnum

from cloud_bridge.time_zones import GREAT_BRITAIN

KM_PER_MILE = 1.609344  # exact: the international yard, 1959


class Distances(StrEnum):
    """The unit in which a person reads distances."""

    MILES = "mi"
    KILOMETRES = "km"

    def words(self, distance_km: float) -> str:
        if self is Distances.MILES:
            return f"{distance_km / KM_PER_MILE:.0f} miles"
        return f"{distance_km:.0f} km"


def usual(time_zone: str) -> Distances:
    """What road signs say there, as far as we know: miles in Great Britain, kilometres elsewhere."""
    return Distances.MILES if time_zone in GREAT_BRITAIN else Distances.KILOMETRES
