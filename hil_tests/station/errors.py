"""Errors that end a run of the station."""


class StationError(Exception):
    """The text is one line that says what to do."""


class UnitFailed(StationError):
    """The unit does not meet a requirement. It is not registered until it has been repaired."""


class StationTrouble(StationError):
    """The station cannot measure or cannot continue. This says nothing about the unit."""
