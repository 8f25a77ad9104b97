"""The meaning of car makers' refusals, in one vocabulary for all of them. Pure.

There are three kinds. Transient trouble is not shown as an error and needs nothing from the driver. If consent is gone, the
driver goes through the maker's authorisation again. If something in the car or in the maker's account is the cause,
authorising again would not help, so the driver is told what to do there.

Some transient trouble is a refusal: the maker has answered, negatively. A refusal that stays the same for three days is no
longer transient, whatever its words: it becomes REFUSED (linking/link.py). An outage never does, however long it lasts.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class Trouble(StrEnum):
    """Stored as the reason of a lost access: members may be added, but never renamed."""

    # Transient, or to be solved by the operator: retried silently.
    OUTAGE = "outage"
    RATE_LIMITED = "rate_limited"
    BILLING = "billing"
    PRECONDITION = "precondition"
    REGION = "region"
    MISUSED = "misused"  # the provider refuses our client or our request
    NOT_SET_UP = "not_set_up"  # a key or a provider is missing here
    UNEXPLAINED = "unexplained"  # a refusal in words that no table knows
    # The car does not answer now, but the account works.
    ASLEEP = "asleep"
    # The access token has expired; it is refreshed before anything else.
    STALE_TOKEN = "stale_token"
    # The authorisation code was used before or is too old; only while linking.
    CODE_REFUSED = "code_refused"
    # Authorise again.
    CONSENT_GONE = "consent_gone"
    SCOPE_MISSING = "scope_missing"
    VEHICLE_GONE = "vehicle_gone"
    REFUSED = "refused"  # the same refusal for linking.link.REFUSED_AFTER_MS
    # The driver has to act in the car or with the maker.
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
LASTING = AUTHORISE_AGAIN | ACT_ELSEWHERE  # shown as an error until solved
REFUSALS = frozenset(
    {Trouble.UNEXPLAINED, Trouble.MISUSED, Trouble.BILLING, Trouble.PRECONDITION, Trouble.REGION}
)  # transient, but the maker has answered


class Row(NamedTuple):
    """One row of a provider's error table; None matches anything."""

    status: int | None
    word: str | None  # part of the response's texts, in any case
    trouble: Trouble


def look_up(table: Sequence[Row], status: int, words: str) -> Trouble:
    """Return the trouble of the first matching row; else the one for the status alone."""
    words = words.lower()
    for row in table:
        if row.status in (None, status) and (row.word is None or row.word.lower() in words):
            return row.trouble
    return unknown_answer(status)


def unknown_answer(status: int) -> Trouble:
    """Return the meaning of an HTTP status whose response no table has. It never involves the driver, because a guess might
    disturb them for nothing.

    4xx is a refusal, except 408 and 425, which ask for another try, and 429 (RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4).
    """
    if status == 429:
        return Trouble.RATE_LIMITED
    return Trouble.UNEXPLAINED if 400 <= status < 500 and status not in (408, 425) else Trouble.OUTAGE
