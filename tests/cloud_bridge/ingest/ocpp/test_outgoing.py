"""Is a charger sent one CALL at a time, and does a command not wait for our own requests?"""

import json

from cloud_bridge.ingest.ocpp.frames import Reply
from cloud_bridge.ingest.ocpp.outgoing import ANSWER_WITHIN_S, WAITING_MAX, YIELDS_AFTER_S, Calls, OnAnswer, Outgoing
from cloud_bridge.ingest.ocpp.records import Record


class Charger:
    """A charger that we call; the test sets the time."""

    def __init__(self) -> None:
        self.calls = Calls()
        self.said: list[tuple[str, bool]] = []  # (action, whether it was answered)

    def note(self, action: str) -> OnAnswer:
        def answered(reply: Reply | None) -> list[Record]:
            self.said.append((action, reply is not None))
            return []

        return answered

    def add(self, action: str, is_own: bool = False) -> bool:
        return self.calls.add(Outgoing(action, {}, self.note(action), is_own))

    def sent(self, now_s: float) -> tuple[str, str] | None:
        """Return id and action of the next CALL."""
        frame = self.calls.next(now_s)
        return None if frame is None else tuple(json.loads(frame)[1:3])


def test_the_next_one_is_sent_when_the_one_before_it_is_answered_or_late() -> None:
    charger = Charger()
    assert charger.add("A") and charger.add("B")
    first = charger.sent(0)
    assert first is not None and first[1] == "A" and charger.sent(1) is None
    assert charger.calls.answered(Reply("of nobody", {})) == [] and charger.said == []
    charger.calls.answered(Reply(first[0], {}))
    assert charger.sent(2) is not None
    charger.calls.look(2 + ANSWER_WITHIN_S)
    assert charger.said == [("A", True)]
    charger.calls.look(3 + ANSWER_WITHIN_S)
    assert charger.said == [("A", True), ("B", False)]


def test_an_order_comes_before_what_we_ask_for_ourselves() -> None:
    charger = Charger()
    charger.add("own", True)
    charger.add("other", True)
    assert charger.sent(0) is not None
    charger.add("order")
    assert charger.sent(YIELDS_AFTER_S) is None, "it may still answer"
    ordered = charger.sent(YIELDS_AFTER_S + 1)
    assert ordered is not None and ordered[1] == "order" and charger.said == [("own", False)]
    assert charger.sent(3 * YIELDS_AFTER_S) is None, "an order is waited for"
    charger.add("second")
    assert charger.sent(4 * YIELDS_AFTER_S) is None
    charger.calls.answered(Reply(ordered[0], {}))
    after = [charger.sent(5 * YIELDS_AFTER_S)]
    assert after[0] is not None and after[0][1] == "second"


def test_what_waits_is_bounded_and_ends_with_the_connection() -> None:
    charger = Charger()
    assert all(charger.add(str(number), number % 2 == 0) for number in range(WAITING_MAX))
    assert not charger.add("more")
    charger.sent(0)
    charger.calls.end()
    assert sorted(charger.said) == [(str(number), False) for number in range(WAITING_MAX)]
    assert charger.sent(1) is None


def test_several_are_taken_together_or_not_at_all() -> None:
    charger = Charger()
    one = Outgoing("A", {}, charger.note("A"))
    assert charger.calls.add(*[one] * (WAITING_MAX - 1))
    assert not charger.calls.add(one, one)
    assert charger.calls.add(one) and not charger.calls.add(one)


def test_each_call_has_an_id_of_its_own_that_any_charger_can_send_back() -> None:
    charger, ids = Charger(), set()
    for number in range(50):
        charger.add(str(number))
        sent = charger.sent(number)
        assert sent is not None and 0 < len(sent[0]) <= 36
        assert charger.calls.has_asked(Reply(sent[0], {})) and not charger.calls.has_asked(Reply("another", {}))
        charger.calls.answered(Reply(sent[0], {}))
        ids.add(sent[0])
    assert len(ids) == 50 and not charger.calls.has_asked(Reply(ids.pop(), {}))


def test_what_came_of_it_is_handed_back_once() -> None:
    record = Record("event", b"{}")
    calls = Calls()
    calls.add(Outgoing("A", {}, lambda reply: [record]))
    message_id = json.loads(calls.next(0) or "")[1]
    assert calls.answered(Reply(message_id, {})) == [record]
    assert calls.answered(Reply(message_id, {})) == []


def test_nothing_is_said_to_a_charger_whose_connection_has_ended() -> None:
    charger = Charger()
    charger.add("A")
    charger.sent(0)
    charger.calls.end()
    charger.calls.end()
    charger.calls.look(10 * ANSWER_WITHIN_S)
    assert charger.said == [("A", False)]
