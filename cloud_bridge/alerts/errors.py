"""Why an alert did not reach its receiver."""


class NotDelivered(Exception):
    """Why not, in a few words without the target or its secrets. `status` is that of its answer, if it gave one, and
    `retry_after_ms` how long it wants to be left alone."""

    def __init__(self, why: str, status: int | None = None, retry_after_ms: int = 0) -> None:
        super().__init__(why)
        self.status, self.retry_after_ms = status, retry_after_ms


class TargetRefused(NotDelivered):
    """The stored target is none that we call: trying again would not help."""


class ReceiverGone(TargetRefused):
    """It was one, and has said that it is none any more."""
