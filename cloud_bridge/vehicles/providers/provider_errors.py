"""What a car maker's refusal means, in one vocabulary for all of them. Pure.

Three kinds. Transient trouble is never shown as an error and never asks the driver for anything. Where consent is gone
the driver goes through the maker's authorisation again. Where something in the car or in the maker's own account is
in the way, authorising again would change nothing, so the driver is told what to do there instead.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class Trouble(StrEnum):
    """Kept in the store as the reason of a lost access: a word may be added, never renamed."""

    # Transient, or the operator's to mend: retried quietly.
    OUTAGE = "outage"
    RATE_LIMITED = "rate_limited"
    BILLING = "billing"
    PRECONDITION = "precondition"
    REGION = "region"
    MISUSED = "misused"
    # The car answers no question now, but the account works.
    ASLEEP = "asleep"
    # The access token is over; a new one is fetched before anybody is asked.
    STALE_TOKEN = "stale_token"
    # The code of an authorisation was used or is too old; only while linking.
    CODE_REFUSED = "code_refused"
    # Authorise again.
    CONSENT_GONE = "consent_gone"
    SCOPE_MISSING = "scope_missing"
    VEHICLE_GONE = "vehicle_gone"
    # Act in the car or with the maker.
    REMOTE_OFF = "remote_off"
    SUBSCRIPTION = "subscription"
    VIRTUAL_KEY = "virtual_key"
    ACCOUNT_ISSUE = "account_issue"
    ACCOUNT_LOCKED = "account_locked"


AUTHORISE_AGAIN = frozenset({Trouble.CONSENT_GONE, Trouble.SCOPE_MISSING, Trouble.VEHICLE_GONE})
ACT_ELSEWHERE = frozenset(
    {
        Trouble.REMOTE_OFF,
        Trouble.SUBSCRIPTION,
        Trouble.VIRTUAL_KEY,
        Trouble.ACCOUNT_ISSUE,
        Trouble.ACCOUNT_LOCKED,
    }
)
LASTING = AUTHORISE_AGAIN | ACT_ELSEWHERE  # shown as an error until it is mended


class Row(NamedTuple):
    """One line of a provider's error table; None matches anything."""

    status: int | None
    word: str | None  # found in the error's own words, in any case
    trouble: Trouble


def look_up(table: Sequence[Row], status: int, said: str) -> Trouble:
    """The first row that fits. What no row knows is the provider's outage: guessing more would disturb a driver."""
    said = said.lower()
    for row in table:
        if row.status in (None, status) and (row.word is None or row.word.lower() in said):
            return row.trouble
    return Trouble.OUTAGE
