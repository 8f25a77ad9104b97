"""Is the present verdict right and in plain words, and are the values before compared with measurements after?"""

from typing import Any

import pytest

from cloud_bridge.contact import Contact, Verdict
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.job_states import JobState
from cloud_bridge.store.jobs import Job, Measured
from cloud_bridge.web.presentation.job_signal import compare, now_of, outcome, reading_of
from cloud_bridge.web.presentation.view import ChargePoint
from cloud_bridge.wire import Heartbeat
from tests.cloud_bridge.running import START_MS
from tests.cloud_bridge.web.presentation.test_job_words import job as job_in

ZONE = "Europe/London"
FITTED_MS = START_MS - 10 * MINUTE_MS


def point(csq: int | None, contact: Contact = Contact.ONLINE, age_ms: int = MINUTE_MS, **other: Any) -> ChargePoint:
    at_ms = None if contact is Contact.NEVER else START_MS - age_ms
    known: dict[str, Any] = {
        "id": "wall",
        "time_zone": ZONE,
        "now_ms": START_MS,
        "last_contact_ms": at_ms,
        "is_estimated": False,
        "verdict": Verdict(contact, age_ms, 0),
        "connected": True,
        "heartbeat_ms": at_ms,
        "heartbeat": Heartbeat(csq=csq, operator="23415"),
        "duplicate": None,
        "name": "wall",
        "due_ms": START_MS + 4 * MINUTE_MS if contact is Contact.ONLINE else None,
        "is_late": False,
        "is_over_quota": False,
        "is_unreadable": False,
        "protocol": "mqtt",
        "deaf": [],
    }
    return ChargePoint(**(known | other))


def job(before_csq: int | None = None, is_fitted: bool = False) -> Job:
    before = None if before_csq is None else Measured(before_csq, "23415", START_MS - 20 * MINUTE_MS)
    state = JobState.FITTED if is_fitted else JobState.ON_SITE
    return job_in(state)._replace(before=before, visited_ms=FITTED_MS if is_fitted else None)


@pytest.mark.parametrize(
    ("csq", "tone", "words"),
    [
        (31, "good", "Good: 31 CSQ, needs more than 14"),
        (15, "good", "Good: 15 CSQ, needs more than 14"),
        (14, "bad", "Too weak: 14 CSQ. Offer a signal boost"),
        (11, "bad", "Too weak: 11 CSQ. Offer a signal boost"),
        (0, "bad", "Too weak: 0 CSQ. Offer a signal boost"),
        (99, "unsure", "No reading: its modem tells no signal"),
        (None, "unsure", "No reading: its modem tells no signal"),
    ],
)
def test_verdict(csq: int | None, tone: str, words: str) -> None:
    now = now_of(point(csq))
    assert (now.tone, now.words) == (tone, words)
    assert now.csq == (csq if tone != "unsure" else None)
    assert now.expected == "00:04:00"


def test_when_and_by_which_network_it_was_measured() -> None:
    now = now_of(point(19, age_ms=90_000))
    assert (now.age_ms, now.ago, now.network) == (90_000, "1 minute ago", "Vodafone")
    assert now.moment == "Wed 31 Dec 2025, 23:58:30 GMT"


@pytest.mark.parametrize(
    ("contact", "tone", "words"),
    [
        (Contact.NEVER, "unsure", "No reading: the charger has never reached us"),
        (Contact.SILENT, "bad", "Silent: no reading for 40 minutes"),
        (Contact.UNKNOWN, "unsure", "We cannot tell: our service was not listening"),
    ],
)
def test_an_old_reading_is_no_verdict(contact: Contact, tone: str, words: str) -> None:
    old = point(19, contact, 40 * MINUTE_MS)
    now = now_of(old)
    assert (now.tone, now.words, now.csq, reading_of(old)) == (tone, words, None, None)
    if contact is not Contact.NEVER:
        assert now.measured is not None and now.measured.csq == 19


@pytest.mark.parametrize(
    ("before", "after", "tone", "words"),
    [
        (11, 19, "good", "8 better: it is good now."),
        (15, 19, "good", "4 better: it is good."),
        (19, 19, "good", "No change: it is good."),
        (19, 15, "good", "4 worse: it is good."),
        (11, 14, "bad", "3 better, and still too weak."),
        (11, 11, "bad", "No change: too weak."),
        (15, 9, "bad", "6 worse: too weak."),
    ],
)
def test_change_in_words(before: int, after: int, tone: str, words: str) -> None:
    found = compare(job(before, is_fitted=True), None, now_of(point(after)), ZONE, START_MS)
    assert (found.before.figure, found.after.figure) == (str(before), str(after))
    assert (found.before.name, found.after.name) == ("Before", "After")
    assert (found.tone, found.words) == (tone, words)
    assert found.before.about == "on 31 Dec at 23:40, Vodafone"


def test_a_reading_of_before_the_boost_is_not_after() -> None:
    early = now_of(point(11, age_ms=11 * MINUTE_MS))
    found = compare(job(11, is_fitted=True), None, early, ZONE, START_MS)
    assert (found.after.figure, found.words) == ("–", "Waiting for a reading: the next is due at 00:04:00.")
    assert outcome(job(11, is_fitted=True), early) == "Signal boost fitted: CSQ 11 before."
    assert outcome(job(11, is_fitted=True), now_of(point(19))) == "Signal boost fitted: CSQ 11 before, CSQ 19 after."


def test_without_a_measurement_before_is_what_was_typical() -> None:
    found = compare(job(), 12, now_of(point(16)), ZONE, START_MS)
    assert (found.before.figure, found.before.about) == ("12", "typical of 14 days")
    assert (found.after.name, found.words) == ("Now", "4 better: it is good now.")
    nothing = compare(job(), None, now_of(point(16)), ZONE, START_MS)
    assert (nothing.before.figure, nothing.words) == ("–", "There is no reading of before to compare with.")


def test_a_good_place_needs_no_boost() -> None:
    assert outcome(job(19), now_of(point(19))) == "Measured on site: CSQ 19, which is enough. No boost was needed."
    assert outcome(job(11), now_of(point(11))) == ""
