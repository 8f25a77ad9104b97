"""The interface of a cloud that runs beside the panel's unit, such as in a demo."""

from typing import Any, Protocol

RUNNING = "running"


class CloudSide(Protocol):
    """The cloud of a demo."""

    def view(self) -> dict[str, Any]:
        """Return what the panel shows.

        `address` of the dashboard, `state` ("starting", RUNNING, "stopped") and the `trouble` behind it,
        `skipped_minutes` in total, `operator_code` of the authenticator app, or None.
        """

    async def skip(self, minutes: int) -> None:
        """Let `minutes` pass for the cloud. Raises an Exception with the reason if it cannot."""
