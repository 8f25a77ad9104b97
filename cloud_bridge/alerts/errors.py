"""Why an alert did not reach its receiver."""


class NotDelivered(Exception):
    """Why not, in a few words without the target or its secrets."""


class TargetRefused(NotDelivered):
    """The stored target is none that we call: trying again would not help."""
