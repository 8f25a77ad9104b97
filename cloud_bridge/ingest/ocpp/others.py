"""The other doors for OCPP, of a cluster: a charger may come back through any of them."""

from typing import Protocol


class Others(Protocol):
    """What a door tells of its chargers. Called on the event loop; returns at once."""

    def opened(self, unit_id: str, since_ms: int) -> None:
        """It is connected here, since then by the stamp of its presence: older connections elsewhere are to end."""
        ...

    def closed(self, unit_id: str) -> None:
        """It is not connected here any more."""
        ...


class Alone:
    """There are none."""

    def opened(self, unit_id: str, since_ms: int) -> None: ...

    def closed(self, unit_id: str) -> None: ...
