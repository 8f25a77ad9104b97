"""What ends a run of the station before its end."""


class StationError(Exception):
    """The text is one line that says what to do."""


class UnitFailed(StationError):
    """The unit is not as it has to be: it is repaired, and not registered."""


class StationTrouble(StationError):
    """The station cannot tell, or cannot go on: nothing is said about the unit."""
