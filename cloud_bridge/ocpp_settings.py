"""Settings of an OCPP charger: the value that we have set, the charger's answer, and the value that it reports. Pure.

A setting is a configuration key in OCPP 1.6. In 2.0.1 it is a variable of a component, written as component.variable.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

# Settings that let the charger start a transaction without a connection: for a known card, and for any card.
OFFLINE = frozenset(
    {
        *("LocalAuthorizeOffline", "AllowOfflineTxForUnknownId"),  # section 9 of "Open Charge Point Protocol 1.6"
        *("AuthCtrlr.LocalAuthorizeOffline", "AuthCtrlr.OfflineTxForUnknownIdEnabled"),  # appendices of 2.0.1
    }
)


class Answered(StrEnum):
    """A charger's answer to a setting."""

    ACCEPTED = "accepted"
    REBOOT = "reboot"  # accepted, and in force after a restart
    REJECTED = "rejected"
    UNKNOWN = "unknown"  # it has no such setting


class Tried(NamedTuple):
    """A setting that we have set."""

    name: str
    wanted: str
    answered: Answered


class Told(NamedTuple):
    """A setting as the charger reports it. `value` is None if it has no such setting or does not report it."""

    name: str
    value: str | None


class Setting(NamedTuple):
    """All that is known of a setting. `wanted` and `answered` are None if we have not set it, `value` if it is not
    reported."""

    name: str
    wanted: str | None
    answered: Answered | None
    value: str | None


def offline(settings: Sequence[Setting]) -> Answered | None:
    """Return the worst answer of a charger to the settings for charging without a connection, or None if it has given
    none."""
    given = {one.answered for one in settings if one.name in OFFLINE and one.answered is not None}
    worst_first = (Answered.REJECTED, Answered.UNKNOWN, Answered.REBOOT, Answered.ACCEPTED)
    return next((one for one in worst_first if one in given), None)
