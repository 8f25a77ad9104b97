"""What does the store get of a message that a cluster has stamped, and of its canaries?"""

from typing import Any, cast

import pytest

from cloud_bridge.contact import FUTURE_MS
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.cluster.stamps import Stamp
from cloud_bridge.ingest.inbound import Ingest, Reporting
from cloud_bridge.ingest.unknown_clients import UnknownClients
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
        self.messages: list[Any] = []

    def put(self, message: Any, committed: Any) -> bool:
        self.messages.append(message)
        committed()
        return True


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
