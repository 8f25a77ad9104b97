"""What the panel shows of a cloud beside its unit, and does to it, where whoever serves the panel runs one."""

from typing import Any, Protocol

RUNNING = "running"


class CloudSide(Protocol):
    """The cloud of a demo."""

    def view(self) -> dict[str, Any]:
        """`address` of the dashboard, `state` ("starting", RUNNING, "stopped") and its `trouble`, `skipped_minutes` in all,
        `operator_code` of the authenticator app, or None.
        """

    async def skip(self, minutes: int) -> None:
        """Lets so much time pass for the cloud. Raises an Exception with the reason if it cannot."""
