"""Is a back-end told the truth: states, each session once with its own times, and no sign of life without contact?"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.contact import Contact
from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.ingest.ocpp.frames import Reply
from cloud_bridge.northbound import link_errors
from cloud_bridge.northbound.reporter import TRIES, Progress, Reporter, Trigger
from cloud_bridge.northbound.transactions import KEPT_MS, RECORD_WITHIN_MS, Ended, Transaction, restored, stored
from tests.cloud_bridge.northbound.told import TAG, BackEnd, actions, known
from tests.cloud_bridge.running import START_MS

HOUR_MS = 60 * MINUTE_MS
STATES = ("A1", "A2", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F", "?", None)


def ended(number: int, began_ms: int, ended_ms: int, energy_wh: int | None = 900, meter_wh: int | None = None) -> Ended:
    return Ended(number, began_ms, ended_ms, energy_wh, meter_wh, "unplugged")


def test_it_boots_tells_its_state_and_beats_as_it_was_asked() -> None:
    back_end = BackEnd()
    assert actions(back_end.hear(known())) == ["BootNotification", "StatusNotification", "StatusNotification"]
    assert back_end.hear(known(), after_s=59) == []
    assert actions(back_end.hear(known(at_ms=START_MS + MINUTE_MS), after_s=1)) == ["Heartbeat"]
    assert [one["status"] for _, one in back_end.hear(known("C2"))] == ["Charging"], (
        "the charger as a whole is as it was"
    )


def test_nothing_is_told_before_the_back_end_accepts_it() -> None:
    back_end = BackEnd()
    back_end.boot = {"status": "Pending", "interval": 30}
    assert actions(back_end.hear(known("C2"))) == ["BootNotification"]
    assert back_end.reporter.refused == (link_errors.BOOT, "Pending")
    assert back_end.hear(known("C2"), after_s=29) == []
    back_end.boot = {"status": "Accepted", "interval": 0}
    assert actions(back_end.hear(known("C2"), after_s=2))[:2] == ["BootNotification", "StatusNotification"]
    assert back_end.reporter.refused is None


def test_what_people_read_of_a_back_end_is_one_line() -> None:
    reporter = Reporter(Progress(0, None), TAG)
    due = reporter.next(known(), (), 0.0, START_MS)
    assert due is not None
    reporter.answered(due, Reply("1", {}, "No\n2026-01-01 WARNING all is lost\x1b[0m"), 0.0)
    assert reporter.refused == (link_errors.BOOT, "No2026-01-01 WARNING all is lost[0m")


def test_a_charger_that_was_not_heard_has_no_heartbeat() -> None:
    back_end = BackEnd()
    back_end.hear(known())
    came = [back_end.hear(known(), after_s=60) for _ in range(29)]
    beating = [bool(one) for one in came]
    assert beating == [True] * 11 + [False] * 18, "two intervals of five minutes and one"
    assert back_end.hear(known(contact=Contact.UNKNOWN)) == [], "we were deaf: nothing is said"


def test_a_charger_that_is_silent_is_unavailable_and_leaves() -> None:
    back_end = BackEnd()
    back_end.hear(known())
    silent = known(contact=Contact.SILENT)
    assert not back_end.reporter.has_left(silent)
    came = back_end.hear(silent, after_s=1801)
    assert [one["status"] for _, one in came] == ["Unavailable", "Unavailable"]
    assert came[0][1]["info"] == "no contact since 2026-01-01T00:00:00.000Z"
    assert back_end.reporter.has_left(silent) and not back_end.reporter.has_left(known())


def test_a_session_is_a_transaction_that_its_record_ends() -> None:
    back_end = BackEnd()
    back_end.hear(known())
    plugged = known("C2", watts=7200.0, total_wh=1200, at_ms=START_MS + MINUTE_MS)
    assert back_end.reporter.wants_beginning(plugged)
    back_end.reporter.begin(START_MS + 30_000, 1000)
    came = back_end.hear(plugged, after_s=60)
    assert actions(came) == ["StartTransaction", "StatusNotification", "MeterValues", "Heartbeat"]
    assert came[0][1] == {
        "connectorId": 1,
        "idTag": TAG,
        "meterStart": 1000,
        "timestamp": "2026-01-01T00:00:30.000Z",
    }
    values = came[2][1]
    assert values["transactionId"] == 7
    assert [one["value"] for one in values["meterValue"][0]["sampledValue"]] == ["1200", "7200"]
    record = ended(5, START_MS + 29_000, START_MS + HOUR_MS)
    stop = back_end.hear(known("A1", at_ms=START_MS + HOUR_MS), record, after_s=3600)[0]
    assert stop == (
        "StopTransaction",
        {
            "transactionId": 7,
            "idTag": TAG,
            "meterStop": 1900,
            "timestamp": "2026-01-01T01:00:00.000Z",
            "reason": "EVDisconnected",
        },
    )
    assert back_end.reporter.progress == Progress(5, None)
    assert "StartTransaction" not in actions(back_end.hear(known(), record, after_s=60)), "it is told once"


def test_sessions_that_nobody_saw_are_told_whole_in_their_order() -> None:
    back_end = BackEnd(Progress(1, None))
    records = [
        ended(2, START_MS - 3 * HOUR_MS, START_MS - 2 * HOUR_MS, meter_wh=500),
        ended(3, START_MS - HOUR_MS, START_MS),
    ]
    back_end.reporter.begin(START_MS + 5000, 2300)
    came = [one for one in back_end.hear(known("C2"), *records) if "Transaction" in one[0]]
    assert actions(came) == ["StartTransaction", "StopTransaction"] * 2 + ["StartTransaction"]
    assert [one.get("meterStart", one.get("meterStop")) for _, one in came] == [500, 1400, 0, 900, 2300]
    assert came[0][1]["timestamp"] == "2025-12-31T21:00:00.000Z"
    assert back_end.reporter.progress.told_id == 3 and back_end.reporter.transaction_id == 7


def test_what_cannot_be_told_or_is_too_old_is_counted() -> None:
    back_end = BackEnd()
    old = START_MS - KEPT_MS - DAY_MS
    records = [
        ended(1, START_MS, START_MS, None),
        Ended(2, None, START_MS, 5, None),
        ended(3, START_MS, START_MS - 1),
        ended(4, old, old + 1),
        ended(5, 0, START_MS),
    ]
    assert "StartTransaction" not in actions(back_end.hear(known(), *records))
    assert back_end.reporter.progress == Progress(5, None, 5)


@pytest.mark.parametrize("action", ["StartTransaction", "StopTransaction"])
def test_a_session_that_the_back_end_refuses_holds_up_no_other(action: str) -> None:
    back_end = BackEnd()
    back_end.errors = {action}
    records = [ended(1, START_MS - HOUR_MS, START_MS - 1), ended(2, START_MS - 1, START_MS)]
    tries = 0
    for _ in range(2 * TRIES):
        tries += actions(back_end.hear(known(), *records, after_s=100)).count(action)
    assert (tries, back_end.reporter.progress) == (2 * TRIES, Progress(2, None, 2))


def test_a_session_that_is_not_answered_keeps_no_state_from_being_told() -> None:
    """A back-end may close the connection for it, each time."""
    back_end, record = BackEnd(), ended(1, START_MS - HOUR_MS, START_MS)
    waits_s: list[float] = []
    for _ in range(9):
        back_end.reporter.connected()
        came = back_end.hear(known())  # without the session, whose retry is not due
        assert actions(came)[:3] == ["BootNotification", "StatusNotification", "StatusNotification"]
        began_s = back_end.now_s
        while (
            due := back_end.reporter.next(known(), [record], back_end.now_s, START_MS)
        ) is None or due.session is None:
            back_end.now_s += 10
        waits_s.append(back_end.now_s - began_s)
    assert waits_s[:4] == [0, 60, 120, 240] and waits_s[-1] == 3840
    assert back_end.reporter.progress.dropped == 0
    assert "StopTransaction" in actions(back_end.hear(known(), record, after_s=4000)), "in the end it answers"


def test_a_session_whose_end_is_not_answered_is_begun_once() -> None:
    back_end, record = BackEnd(), ended(1, START_MS - HOUR_MS, START_MS)
    back_end.reporter.is_booted = True
    start = back_end.reporter.next(known(), [record], 1000.0, START_MS)
    assert start is not None and start.action == "StartTransaction"
    back_end.reporter.answered(start, Reply("1", {"transactionId": 9}), 1000.0)
    assert (stop := back_end.reporter.next(known(), [record], 1000.0, START_MS)) is not None
    assert stop.payload["transactionId"] == 9
    back_end.reporter.connected()
    came = back_end.hear(known(), record, after_s=100)
    assert [payload["transactionId"] for action, payload in came if "Transaction" in action] == [9]


def test_a_session_that_goes_on_and_is_refused_is_dropped_with_its_record() -> None:
    back_end = BackEnd()
    back_end.errors = {"StartTransaction"}
    back_end.reporter.begin(START_MS, 1000)
    for _ in range(TRIES + 1):
        back_end.hear(known("C2"), after_s=100)
    assert back_end.reporter.progress.dropped == 1
    assert "StopTransaction" not in actions(back_end.hear(known(), ended(1, START_MS, START_MS + HOUR_MS), after_s=100))
    assert back_end.reporter.progress == Progress(1, None, 1)


def test_a_record_that_does_not_come_leaves_no_transaction_open() -> None:
    back_end = BackEnd()
    back_end.reporter.begin(START_MS, 1000)
    back_end.hear(known("C2"))
    unplugged = known("A1", total_wh=1700, at_ms=START_MS + HOUR_MS)
    assert "StopTransaction" not in actions(back_end.hear(unplugged, after_s=3600))
    came = dict(back_end.hear(unplugged, after_s=RECORD_WITHIN_MS / 1000))
    assert came["StopTransaction"]["meterStop"] == 1700
    assert came["StopTransaction"]["timestamp"] == "2026-01-01T01:00:00.000Z"
    late = ended(1, START_MS, START_MS + HOUR_MS)
    assert "StartTransaction" not in actions(back_end.hear(unplugged, late, after_s=10)), "it is told already"
    assert back_end.reporter.progress == Progress(1, None)


def test_the_next_vehicle_begins_anew_though_the_record_before_never_came() -> None:
    back_end = BackEnd(Progress(0, Transaction(START_MS - DAY_MS, 5, TAG, 3, is_ended=True)))
    assert back_end.reporter.transaction_id is None
    assert back_end.reporter.wants_beginning(known("B2"))


def test_a_back_end_that_was_away_is_told_the_state_of_now_alone() -> None:
    back_end = BackEnd()
    back_end.hear(known())
    for state in ("B2", "C2", "B2"):
        known(state)  # meanwhile
    back_end.reporter.connected()
    came = back_end.hear(known("C2", at_ms=START_MS + 30 * MINUTE_MS), after_s=1800)
    assert actions(came) == ["BootNotification", "StatusNotification", "StatusNotification"]
    assert came[2][1]["status"] == "Charging"


def test_it_sends_what_it_is_asked_for() -> None:
    back_end = BackEnd()
    back_end.hear(known())
    for trigger in Trigger:
        back_end.reporter.trigger(trigger)
        came = actions(back_end.hear(known()))
        assert came.count(trigger.value) == (2 if trigger is Trigger.STATUS else 1), trigger


def test_a_tag_that_is_not_accepted_is_told_to_people_and_stops_nothing() -> None:
    reporter = Reporter(Progress(0, Transaction(START_MS, 1, TAG)), TAG)
    reporter.is_booted = True
    due = reporter.next(known("C2"), (), 1e6, START_MS)
    assert due is not None and due.action == "StartTransaction"
    reporter.answered(due, Reply("1", {"transactionId": 4, "idTagInfo": {"status": "Invalid"}}), 1e6)
    assert reporter.refused == (link_errors.TAG, "Invalid") and reporter.transaction_id == 4


@pytest.mark.parametrize(
    "text", [None, "", "[]", "[1]", "7", '["a",1,"T",null,false,false]', "[" * 5000, "[1,2,3,4,5,6]"]
)
def test_what_is_stored_of_a_transaction_and_is_none_is_none(text: Any) -> None:
    assert restored(text) is None


def test_a_transaction_is_kept_as_it_is() -> None:
    one = Transaction(START_MS, 4, "T", 9, is_ended=True)
    assert restored(stored(one)) == one and stored(None) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ANSWERS = st.dictionaries(st.sampled_from(["status", "interval", "transactionId", "idTagInfo"]), JSON)
TIMES = st.integers(START_MS - 40 * DAY_MS, START_MS + DAY_MS) | st.none() | st.integers()
RECORDS = st.builds(
    Ended, st.integers(1, 9), TIMES, TIMES, st.none() | st.integers(), st.none() | st.integers(0, 2**40)
)
STEPS = st.tuples(
    st.sampled_from(STATES),
    st.sampled_from(list(Contact)),
    st.lists(RECORDS, max_size=3, unique_by=lambda one: one.id).map(lambda some: sorted(some, key=lambda one: one.id)),
    st.none() | ANSWERS,
    st.floats(0, 4000),
    st.lists(st.sampled_from(["rcd_ac", "guard", "ocpp_groundfailure", "new ü"]), max_size=1),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_whatever_a_unit_does_and_a_back_end_answers_each_call_is_as_its_schema_has_it(steps: list[Any]) -> None:
    class Odd(BackEnd):
        answer: dict[str, Any] | None = None

        def _answer(self, due: Any) -> Reply:
            return Reply("1", {}, "Other") if self.answer is None else Reply("1", self.answer)

    odd = Odd()
    for state, contact, records, answer, after_s, faults in steps:
        odd.answer = answer
        what = known(state, contact, odd.now_ms, faults=faults or None, watts=after_s, total_wh=int(after_s * 1e6))
        if odd.reporter.wants_beginning(what):
            odd.reporter.begin(odd.now_ms, int(after_s))
        for action, payload in odd.hear(what, *records, after_s=after_s):
            assert action != "Heartbeat" or contact is Contact.ONLINE
            is_alive = payload.get("status") in ("Available", "Charging")
            assert not is_alive or contact not in (Contact.SILENT, Contact.NEVER)
        assert restored(stored(odd.reporter.progress.transaction)) == odd.reporter.progress.transaction
