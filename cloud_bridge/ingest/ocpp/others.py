"""The interface to the other OCPP doors of a cluster, through any of which a charger may reconnect."""

from typing import Protocol


class Others(Protocol):
    """Receives events about the chargers of this door. Called on the event loop; returns at once."""

    def opened(self, unit_id: str, since_ms: int) -> None:
        """A charger has connected here. Connections elsewhere with an older presence timestamp are to be closed."""
        ...

    def closed(self, unit_id: str) -> None:
        """A charger has disconnected here."""
        ...


class Alone:
    """The implementation for a single door: does nothing."""

    def opened(self, unit_id: str, since_ms: int) -> None: ...

    def closed(self, unit_id: str) -> None: ...
