"""Errors of the delivery of an alert."""


class NotDelivered(Exception):
    """An alert was not delivered. The text is a short reason without the target or its secrets. `status` is that of the
    response, if there was one. `retry_after_ms` is how long the receiver wants to be left alone."""

    def __init__(self, why: str, status: int | None = None, retry_after_ms: int = 0) -> None:
        super().__init__(why)
        self.status, self.retry_after_ms = status, retry_after_ms


class TargetRefused(NotDelivered):
    """We do not send to the stored target, so a retry would not help."""


class ReceiverGone(TargetRefused):
    """The receiver has said that it no longer exists."""
