"""What a car maker's refusal means, in one vocabulary for all of them. Pure.

Three kinds. Transient trouble is not shown as an error and asks the driver for nothing. Where consent is gone the driver
goes through the maker's authorisation again. Where something in the car or in the maker's own account is in the way,
authorising again would change nothing, so the driver is told what to do there instead.

Some transient trouble is a refusal: the maker has answered, and says no. The same refusal for three days is no longer
transient, whatever its words: it becomes REFUSED (linking/link.py). An outage never does, however long it lasts.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class Trouble(StrEnum):
    """Stored as the reason of a lost access: a word may be added, never renamed."""

    # Transient, or the operator's to mend: retried quietly.
    OUTAGE = "outage"
    RATE_LIMITED = "rate_limited"
    BILLING = "billing"
    PRECONDITION = "precondition"
    REGION = "region"
    MISUSED = "misused"  # the provider refuses our client or our request
    NOT_SET_UP = "not_set_up"  # a key or a provider is missing here
    UNEXPLAINED = "unexplained"  # a refusal in words that no table knows
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
    REFUSED = "refused"  # the same refusal for linking.link.REFUSED_AFTER_MS
    # Act in the car or with the maker.
    REMOTE_OFF = "remote_off"
    SUBSCRIPTION = "subscription"
    VIRTUAL_KEY = "virtual_key"
    ACCOUNT_ISSUE = "account_issue"
    ACCOUNT_LOCKED = "account_locked"


AUTHORISE_AGAIN = frozenset({Trouble.CONSENT_GONE, Trouble.SCOPE_MISSING, Trouble.VEHICLE_GONE, Trouble.REFUSED})
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
REFUSALS = frozenset(
    {Trouble.UNEXPLAINED, Trouble.MISUSED, Trouble.BILLING, Trouble.PRECONDITION, Trouble.REGION}
)  # transient, but the maker has answered


class Row(NamedTuple):
    """One line of a provider's error table; None matches anything."""

    status: int | None
    word: str | None  # part of the answer's words, in any case
    trouble: Trouble


def look_up(table: Sequence[Row], status: int, words: str) -> Trouble:
    """The first row that matches; else what the status alone tells."""
    words = words.lower()
    for row in table:
        if row.status in (None, status) and (row.word is None or row.word.lower() in words):
            return row.trouble
    return unknown_answer(status)


def unknown_answer(status: int) -> Trouble:
    """The meaning of an HTTP status whose answer no table knows. It never asks the driver: guessing would disturb them.

    4xx is a refusal, except 408 and 425, which ask for another try, and 429 (RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4).
    """
    if status == 429:
        return Trouble.RATE_LIMITED
    return Trouble.UNEXPLAINED if 400 <= status < 500 and status not in (408, 425) else Trouble.OUTAGE
