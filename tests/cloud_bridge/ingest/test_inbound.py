"""What does the store get of a message that a cluster has stamped, and of its canaries?"""

from typing import Any, cast

import pytest

from cloud_bridge.contact import FUTURE_MS
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.cluster.stamps import Stamp
from cloud_bridge.ingest.inbound import Ingest, Reporting
from cloud_bridge.ingest.quotas import Quotas
from cloud_bridge.ingest.shard import Shard
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.ingest.update_pieces import UpdatePieces
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.store.database import Database
from cloud_bridge.store.recorder import Recorder
from cloud_bridge.timekeeping import begin_time
from cloud_bridge.unit_reports import UnitReports
from cloud_bridge.verified_time import Clocks
from tests.cloud_bridge.running import START_MS, HandClock

HEARTBEAT = b'{"n":1,"b":1,"s":"A1"}'
DOORS: Any = (1, 2)


class Kept:
    """A recorder that stores messages at once, or refuses them while it is full."""

    def __init__(self) -> None:
        self.is_full = False
        self.stores = True
        self.messages: list[Any] = []
        self.waiting: list[Any] = []  # to be called when it stores
        self.ledger = self

    def put(self, message: Any, committed: Any) -> bool:
        self.messages.append(message)
        self.waiting.append(committed)
        if self.stores:
            self.store()
        return True

    def store(self) -> None:
        waiting, self.waiting = self.waiting, []
        for committed in waiting:
            committed()

    def listened_at_most_ms(self, now_ms: int) -> int:
        return now_ms - START_MS + 5

    def listened_ms(self, now_ms: int) -> int:
        return now_ms - START_MS


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def ingest(database: Database, kept: Kept) -> Ingest:
    clock, live, _, verified, _ = begin_time(database, lambda _floor_ms: HandClock())
    clocks = Clocks(clock, verified)
    log, reports = SecurityLog(database, clocks), UnitReports(database, clock, "here")
    reporting = Reporting(Counters(), log, reports, UnknownClients(database))
    return Ingest(live, cast(Recorder, kept), reporting, clocks)


def take(ingest: Ingest, at_ms: int, is_estimated: bool = False, again: bool = False) -> bool:
    stamp = Stamp(at_ms, at_ms + 7, is_estimated)
    return ingest.take_stamped("cp-1", "heartbeat", HEARTBEAT, stamp, DOORS, again, lambda: None)


def test_a_stamped_message_has_the_time_of_its_stamp_and_the_contact_before(ingest: Ingest, kept: Kept) -> None:
    contacts = ingest.counters.contacts
    assert take(ingest, START_MS) and take(ingest, START_MS + 1000)
    first, second = kept.messages
    assert (first.received_ms, second.received_ms) == (START_MS, START_MS + 1000)
    assert (first.previous_ms, second.previous_ms) == (None, START_MS)
    assert (first.unit_id, first.doors, first.stored_by_ms) == ("cp-1", DOORS, START_MS + 7)
    assert ingest.counters.contacts == contacts + 2


def test_a_heartbeat_that_comes_twice_is_a_repeat_and_one_that_is_delivered_twice_a_row(
    ingest: Ingest, kept: Kept
) -> None:
    assert take(ingest, START_MS) and take(ingest, START_MS + 1000) and take(ingest, START_MS + 1000, again=True)
    assert [message.message is None for message in kept.messages] == [False, True, False]
    assert [message.again for message in kept.messages] == [False, False, True]
    assert ingest.counters.repeats == 1


def test_an_estimated_stamp_may_have_been_late_by_more_than_any_clock_that_agrees(ingest: Ingest, kept: Kept) -> None:
    assert take(ingest, START_MS, is_estimated=True)
    assert kept.messages[0].latest_ms == START_MS + 2 * FUTURE_MS


def test_what_is_not_taken_is_counted_and_is_contact_all_the_same(ingest: Ingest, kept: Kept) -> None:
    kept.is_full = True
    refused, contacts = ingest.counters.refused_waiting, ingest.counters.contacts
    assert not take(ingest, START_MS)
    assert kept.messages == []
    assert (ingest.counters.refused_waiting, ingest.counters.contacts) == (refused + 1, contacts + 1)


def test_a_mark_that_came_through_a_node_is_counted_once_it_is_stored(ingest: Ingest, kept: Kept) -> None:
    before = ingest.counters.canaries
    assert ingest.take_path_canary(1, (1, 2), START_MS)
    assert ingest.counters.canaries == before + 1
    assert kept.messages[0][:3] == (START_MS, 1, 0)


class Told:
    """Counts how often it is called."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def test_a_message_is_contact_a_row_and_is_acknowledged_once_it_is_stored(ingest: Ingest, kept: Kept) -> None:
    kept.stores, told = False, Told()
    assert ingest.take("cp-1", "heartbeat", HEARTBEAT, START_MS, False, told)
    assert ingest.take("cp-1", "event", b'{"n":2,"b":1,"k":"boot"}', START_MS + 1000, False, told)
    first, second = kept.messages
    assert (first.unit_id, first.kind, first.received_ms, first.payload, first.bad) == (
        "cp-1", "heartbeat", START_MS, HEARTBEAT, False,
    )  # fmt: skip
    assert (first.previous_ms, second.previous_ms) == (None, START_MS)
    assert (first.listened_ms, second.listened_ms) == (5, 1005)
    assert (first.late, first.again, first.doors, first.shard, first.duplicate) == (False, False, (), 1, None)
    assert told.times == 0 and ingest.counters.contacts == 2
    kept.store()
    assert told.times == 2


def test_what_cannot_be_read_is_contact_counted_and_a_row_without_a_message(ingest: Ingest, kept: Kept) -> None:
    assert ingest.take("cp-1", "heartbeat", b"{", START_MS, False, Told())
    assert (kept.messages[0].message, kept.messages[0].bad) == (None, True)
    assert (ingest.counters.bad_payloads, ingest.counters.contacts) == (1, 1)
    assert "cp-1" not in ingest.live.timeless
    ingest.take("cp-1", "heartbeat", b'{"t":5}', START_MS, False, Told())
    assert ingest.counters.bad_payloads == 2 and "cp-1" in ingest.live.timeless, "it is told the time"


def test_a_full_recorder_takes_nothing_and_the_sender_keeps_it(ingest: Ingest, kept: Kept) -> None:
    kept.is_full = True
    heard = ingest.hear("cp-1", START_MS)
    assert not ingest.take("cp-1", "heartbeat", HEARTBEAT, START_MS, False, Told())
    assert not ingest.take_translated(heard, [], False, Told())
    assert (ingest.counters.refused_waiting, ingest.counters.contacts, kept.messages) == (2, 2, [])


def test_a_heartbeat_that_comes_again_is_no_row_of_its_own(ingest: Ingest, kept: Kept) -> None:
    for redelivered in (False, True, False):
        assert ingest.take("cp-1", "heartbeat", HEARTBEAT, START_MS, redelivered, Told())
    assert [message.message is None for message in kept.messages] == [False, True, True]
    assert ingest.counters.repeats == 2


class Pieces:
    """Of update_pieces."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def take(self, unit_id: str, ask: Any) -> None:
        self.taken.append((unit_id, ask.offset))


def test_an_ask_is_answered_once_it_is_acknowledged_and_never_twice(ingest: Ingest, kept: Kept) -> None:
    pieces, told = Pieces(), Told()
    ask = b'{"n":2,"b":1,"h":"00","f":1,"o":7,"c":1}'
    ingest.take("cp-1", "ask", ask, START_MS, False, told)
    assert kept.messages[0].message is None and told.times == 1, "nobody answers here"
    ingest._pieces = cast(UpdatePieces, pieces)
    kept.stores = False
    ingest.take("cp-1", "ask", ask, START_MS, False, told)
    ingest.take("cp-1", "ask", ask, START_MS, True, told)
    assert pieces.taken == []
    kept.store()
    assert pieces.taken == [("cp-1", 7)] and told.times == 3


# Frames of chargers that speak another protocol


def test_a_frame_that_comes_to_nothing_is_a_contact_alone(ingest: Ingest, kept: Kept) -> None:
    told = Told()
    assert ingest.take_translated(ingest.hear("cp-1", START_MS), [], True, told)
    assert ingest.take_translated(ingest.hear("cp-1", START_MS + 1000), [], False, told)
    first, second = kept.messages
    assert (first.kind, first.payload, first.message, first.bad, second.bad) == ("frame", b"", None, True, False)
    assert (first.previous_ms, second.previous_ms, second.listened_ms) == (None, START_MS, 1005)
    assert (second.stored_by_ms, second.doors, second.shard) == (START_MS + 1000, (), 1)
    assert told.times == 2 and (ingest.counters.bad_payloads, ingest.counters.contacts) == (1, 2)


def test_a_frame_that_comes_to_several_rows_is_one_contact_and_is_answered_with_the_last(
    ingest: Ingest, kept: Kept
) -> None:
    kept.stores, told = False, Told()
    records = [("event", b'{"k":"boot"}'), ("heartbeat", HEARTBEAT)]
    assert ingest.take_translated(ingest.hear("cp-1", START_MS), records, False, told)
    assert [(message.kind, message.previous_ms) for message in kept.messages] == [
        ("event", None),
        ("heartbeat", START_MS),
    ]
    assert ingest.counters.contacts == 1 and ingest.live.unit("cp-1").heartbeat is not None
    kept.waiting[0]()
    assert told.times == 0
    kept.waiting[1]()
    assert told.times == 1


# What was kept for us, and marks of our own


def test_what_was_kept_for_us_is_stored_and_no_contact(ingest: Ingest, kept: Kept) -> None:
    told = Told()
    for kind, payload in (("heartbeat", HEARTBEAT), ("event", b'{"n":2,"b":1,"k":"boot"}'), ("event", b"{")):
        assert ingest.take_late("cp-1", kind, payload, START_MS, told)
    state, event, bad = kept.messages
    assert state.message is None and event.message is not None and (bad.message, bad.bad) == (None, True)
    assert all(message.late and message.received_ms == START_MS for message in kept.messages)
    assert (ingest.counters.late, ingest.counters.contacts, told.times) == (3, 0, 3)


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize(
    ("payload", "is_numbered"),
    [(b'{"n":2,"b":1,"k":"boot"}', True), (b'{"n":2,"k":"boot"}', False), (b'{"k":"boot"}', False)],
)
def test_what_another_shard_may_get_too_is_left_to_it_unless_a_number_tells_a_repeat(
    ingest: Ingest, kept: Kept, payload: bytes, is_numbered: bool, takes: bool
) -> None:
    ingest.shard = next(one for one in (Shard(1, 2), Shard(2, 2)) if one.takes("cp-1") is takes)
    ingest.take_late("cp-1", "event", payload, START_MS, Told())
    assert (kept.messages[0].message is not None) is (is_numbered or takes)


def test_a_canary_counts_once_it_is_stored(ingest: Ingest, kept: Kept) -> None:
    kept.stores, told = False, Told()
    assert ingest.take_canary(START_MS + 1000, told)
    assert kept.messages[0][:3] == (START_MS + 1000, 1, 1000)
    assert ingest.counters.canaries == told.times == 0
    kept.store()
    assert ingest.counters.canaries == told.times == 1


def test_we_have_listened_up_to_the_oldest_mark_of_every_way(ingest: Ingest, kept: Kept) -> None:
    ingest.ways.expect("ocpp")
    told = Told()
    assert ingest.take_canary(START_MS + 1000, told) and kept.messages == []
    assert ingest.counters.canaries == told.times == 1
    assert ingest.take_canary(START_MS + 3000, told, "ocpp")
    assert kept.messages[0][:3] == (START_MS + 1000, 1, 1000)


# Quotas and the time of units


def test_a_unit_that_sends_too_much_is_counted_and_told(ingest: Ingest) -> None:
    told: list[tuple[str, int]] = []
    ingest.reports.over_quota = lambda unit_id, at_ms: told.append((unit_id, at_ms))  # type: ignore[method-assign]
    ingest._quotas = Quotas(burst=2, per_s=1.0)
    ingest._now_s = lambda: 0.0
    assert [ingest.admits("cp-1", START_MS) for _ in range(3)] == [True, True, False]
    assert ingest.counters.refused_over_quota == 1 and told == [("cp-1", START_MS)]
    assert ingest.admits("cp-2", START_MS)


@pytest.mark.parametrize(
    ("told_s", "is_told", "wrong"), [(None, True, 0), (0, False, 0), (-3600, True, 1), (3600, True, 1)]
)
def test_a_unit_whose_clock_is_not_set_or_wrong_is_told_the_time(
    ingest: Ingest, told_s: int | None, is_told: bool, wrong: int
) -> None:
    at = b"" if told_s is None else b'"t":%d,' % (START_MS // 1000 + told_s)
    ingest.take("cp-1", "heartbeat", b"{" + at + b'"n":1,"b":1}', START_MS, False, Told())
    assert ("cp-1" in ingest.live.timeless) is is_told
    assert ingest.counters.wrong_unit_clocks == wrong
