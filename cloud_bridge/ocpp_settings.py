"""Settings of a charger that speaks OCPP: what we have set, what it made of that, and what it says of them itself. Pure.

A setting is a ConfigurationKey in OCPP 1.6, and in 2.0.1 a variable of a component, whose names stand here with a dot between.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

# Which let it charge without us: a card that it knows, and any.
OFFLINE = frozenset(
    {
        *("LocalAuthorizeOffline", "AllowOfflineTxForUnknownId"),  # section 9 of "Open Charge Point Protocol 1.6"
        *("AuthCtrlr.LocalAuthorizeOffline", "AuthCtrlr.OfflineTxForUnknownIdEnabled"),  # appendices of 2.0.1
    }
)


class Answered(StrEnum):
    """What a charger makes of a setting."""

    ACCEPTED = "accepted"
    REBOOT = "reboot"  # accepted, and in force once it has restarted
    REJECTED = "rejected"
    UNKNOWN = "unknown"  # it has no such setting


class Tried(NamedTuple):
    """One that we have set."""

    name: str
    wanted: str
    answered: Answered


class Told(NamedTuple):
    """One as the charger says it is; None: it has no such setting, or does not tell it."""

    name: str
    value: str | None


class Setting(NamedTuple):
    """All that is known of one; None where it was not set, or is not told."""

    name: str
    wanted: str | None
    answered: Answered | None
    value: str | None


def offline(settings: Sequence[Setting]) -> Answered | None:
    """Whether a charger goes on by our settings without its connection: the worst of its answers. None: it has given none."""
    given = {one.answered for one in settings if one.name in OFFLINE and one.answered is not None}
    worst_first = (Answered.REJECTED, Answered.UNKNOWN, Answered.REBOOT, Answered.ACCEPTED)
    return next((one for one in worst_first if one in given), None)
