"""Is everything reported that can be wrong between what was acknowledged to a fleet and what is stored, and nothing else?"""

from collections import defaultdict
from typing import Any

import pytest

from hil_tests.fleet.log import Delivery
from hil_tests.fleet.rows import Stored
from hil_tests.fleet.verdict import DEFAULT_SILENT_AFTER_MS, Terms, judge

BEGIN_MS = 1_767_229_200_000.0


def delivery(kind: str, sequence: int, at_ms: float, acknowledged: bool = True, **other: Any) -> Delivery:
    """Return a delivery that takes 10 ms."""
    sent_ms = BEGIN_MS + at_ms
    whole = Delivery("cp-1", kind, 9, sequence, kind == "heartbeat", sent_ms, sent_ms, sent_ms + 10, acknowledged)
    return whole._replace(**other)


SENT = [
    delivery("heartbeat", 1, 0),
    delivery("event", 0, 20),
    delivery("session", 2, 1000),
    delivery("heartbeat", 3, 5000),
    delivery("heartbeat", 4, 6000, acknowledged=False),
]


def stored(**other: Any) -> Stored:
    """Return the correct rows for SENT."""
    whole = Stored(
        journal={"event": {"cp-1": [(9, 0)]}, "session": {"cp-1": [(9, 2)]}},
        contacts={"cp-1": int(BEGIN_MS) + 5004},
        heartbeats={"cp-1": (9, 3)},
        power_ms={"cp-1": [int(BEGIN_MS) + 3, int(BEGIN_MS) + 5004]},
        signal_ms={"cp-1": [int(BEGIN_MS) + 3, int(BEGIN_MS) + 5004]},
        silences=[],
        silent_after_ms={"cp-1": DEFAULT_SILENT_AFTER_MS},
    )
    return whole._replace(**other)


def at(*ms: int) -> dict[str, list[int]]:
    return {"cp-1": [int(BEGIN_MS) + one for one in ms]}


def test_what_is_right_is_good() -> None:
    verdict = judge(SENT, stored(), Terms())
    assert verdict.is_good
    assert verdict.acknowledged == verdict.found == {"heartbeat": 2, "event": 1, "session": 1}
    assert verdict.stamp_after_ms == [3, 4]
    assert verdict.stamp_error_ms == [0, 0]


def test_what_was_not_acknowledged_may_be_stored_too() -> None:
    also = stored(power_ms=at(3, 5004, 6002), signal_ms=at(3, 5004, 6002), heartbeats={"cp-1": (9, 4)})
    assert judge(SENT, also, Terms()).is_good


@pytest.mark.parametrize(
    ("field", "changed", "words"),
    [
        ("lost", {"journal": {"event": {}, "session": {"cp-1": [(9, 2)]}}}, "event ('cp-1', 9, 0)"),
        ("lost", {"journal": {"event": {"cp-1": [(9, 0), (9, 2)]}, "session": {}}}, "session ('cp-1', 9, 2)"),
        ("lost", {"power_ms": at(3)}, "heartbeat ('cp-1', 9, 3)"),
        (
            "doubled",
            {"journal": {"event": {"cp-1": [(9, 0), (9, 0)]}, "session": {"cp-1": [(9, 2)]}}},
            "stored 2 times",
        ),
        ("doubled", {"power_ms": at(3, 5, 5004)}, "heartbeat ('cp-1', 9, 1) is stored twice"),
        (
            "unsent",
            {"journal": {"event": {"cp-1": [(9, 0), (9, 7)]}, "session": {"cp-1": [(9, 2)]}}},
            "but was not sent",
        ),
        ("signal_lost", {"signal_ms": at(3)}, "the signal of heartbeat ('cp-1', 9, 3)"),
        ("false_contact", {"power_ms": at(3, 2500, 5004)}, "but sent none then"),
        ("false_contact", {"contacts": {"cp-1": int(BEGIN_MS) + 30_000}}, "but sent nothing then"),
        ("contact_behind", {"contacts": {"cp-1": int(BEGIN_MS) + 1004}}, "was last heard at"),
        ("contact_behind", {"contacts": {}}, "was last heard at None"),
        ("contact_behind", {"heartbeats": {"cp-1": (9, 1)}}, "an older one stored"),
        ("contact_behind", {"heartbeats": {"cp-1": (None, None)}}, "an older one stored"),
        (
            "false_silence",
            {"silences": [("cp-1", int(BEGIN_MS) + 5010 + DEFAULT_SILENT_AFTER_MS - 1)]},
            "noticed silent",
        ),
    ],
)
def test_each_fault_is_told(field: str, changed: dict[str, Any], words: str) -> None:
    verdict = judge(SENT, stored(**changed), Terms())
    assert getattr(verdict, field) == 1
    assert any(words in fault for fault in verdict.faults), verdict.faults
    assert not verdict.is_good


def test_a_true_silence_is_none_of_ours() -> None:
    assert judge(SENT, stored(silences=[("cp-1", int(BEGIN_MS) + 5010 + DEFAULT_SILENT_AFTER_MS)]), Terms()).is_good


def test_records_of_an_earlier_run_are_passed_over() -> None:
    journal = {"event": {"cp-1": [(9, 0), (8, 0), (None, None)]}, "session": {"cp-1": [(9, 2)]}}
    assert judge(SENT, stored(journal=journal), Terms()).is_good


def test_deliveries_of_one_message_are_one() -> None:
    first, again = delivery("heartbeat", 3, 5000, acknowledged=False), delivery("heartbeat", 3, 5500)
    verdict = judge([*SENT[:3], first, again], stored(), Terms())
    assert verdict.is_good
    assert verdict.acknowledged["heartbeat"] == 2
    assert verdict.stamp_error_ms == [0, 0]


def test_a_stamp_outside_is_an_error_of_its_size() -> None:
    late = judge(SENT, stored(power_ms=at(3, 5014), signal_ms=at(3, 5014)), Terms(clock_error_ms=5))
    assert late.stamp_error_ms == [0, 4]
    early = judge(SENT, stored(power_ms=at(3, 4996), signal_ms=at(3, 4996)), Terms(clock_error_ms=5))
    assert early.stamp_error_ms == [0, 3]
    assert judge(SENT, stored(power_ms=at(3, 5016), signal_ms=at(3, 5016)), Terms(clock_error_ms=5)).false_contact == 1


def test_behind_an_outside_broker_a_stamp_may_be_later() -> None:
    later = stored(power_ms=at(3, 7000), signal_ms=at(3, 7000), contacts={"cp-1": int(BEGIN_MS) + 7000})
    verdict = judge(SENT, later, Terms(later_ms=5000))
    assert verdict.is_good
    assert verdict.stamp_error_ms == [0, 1990]


def test_what_an_outside_broker_kept_while_the_bridge_was_away_is_no_contact() -> None:
    away = Terms(away_ms=((BEGIN_MS + 4000, BEGIN_MS + 8000),))
    before = stored(
        power_ms=at(3), signal_ms=at(3), contacts={"cp-1": int(BEGIN_MS) + 1004}, heartbeats={"cp-1": (9, 1)}
    )
    verdict = judge(SENT, before, away)
    assert verdict.is_good
    assert verdict.not_contact == 1
    assert judge(SENT, before, Terms()).lost == 1


def test_of_two_that_were_under_way_the_one_that_fits_the_row_was_stored() -> None:
    """The first board has no signal reading yet and no answer; a second one with its identity has both."""
    first = delivery("heartbeat", 6, 7000, acknowledged=False, boot=8, has_csq=False, ended_ms=BEGIN_MS + 9000)
    second = delivery("heartbeat", 1, 7001, boot=10, ended_ms=BEGIN_MS + 9000)
    both = stored(
        power_ms=at(3, 5004, 7002, 7500), signal_ms=at(3, 5004, 7500), contacts={"cp-1": int(BEGIN_MS) + 7500}
    )
    verdict = judge([*SENT, first, second], both._replace(heartbeats={"cp-1": (10, 1)}), Terms())
    assert verdict.signal_lost == 0 and verdict.lost == 0


def test_two_boards_of_one_identity_have_messages_of_their_own() -> None:
    other = [one._replace(boot=1009, sent_ms=one.sent_ms + 100, ended_ms=one.ended_ms + 100) for one in SENT[:2]]
    both = stored(
        journal={"event": {"cp-1": [(9, 0), (1009, 0)]}, "session": {"cp-1": [(9, 2)]}},
        power_ms=at(3, 104, 5004),
        signal_ms=at(3, 104, 5004),
    )
    assert judge([*SENT, *other], both, Terms()).is_good


def test_only_some_of_many_faults_are_shown_and_all_are_counted() -> None:
    many = [delivery("event", sequence, sequence * 20) for sequence in range(100)]
    nothing = stored(journal=defaultdict(dict), power_ms={}, signal_ms={})
    verdict = judge(many, nothing, Terms())
    assert verdict.lost == 100
    assert len(verdict.faults) < 50
