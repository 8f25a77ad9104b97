"""Are the gaps in a unit's contacts correct, whichever processes received it, and whichever committed first?"""

import random
import threading
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest

from cloud_bridge.contact import GAP_AFTER_MS, Gap
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.live import LiveUnit
from cloud_bridge.store.database import Database
from cloud_bridge.store.gaps import find_gaps, needs_question, split
from cloud_bridge.store.inbound_message import InboundMessage
from cloud_bridge.store.record import record
from cloud_bridge.store.tables import contact_gaps, contacts, units
from cloud_bridge.store.units import add_unit
from tests.cloud_bridge.recording import inbound, rows
from tests.cloud_bridge.running import DEADLINE_S, START_MS

STORIES = 40
ROUNDS = 200
UNITS = 8


def heard(at_min: float, previous_min: float | None, unit_id: str = "cp-1", kind: str = "heartbeat") -> InboundMessage:
    """Return a message as taken in by a process that had last heard the unit at `previous_min`."""
    previous_ms = None if previous_min is None else START_MS + round(previous_min * MINUTE_MS)
    return inbound(unit_id, START_MS + round(at_min * MINUTE_MS), kind)._replace(previous_ms=previous_ms)


def commit(database: Database, *messages: InboundMessage, at_min: float = 0) -> None:
    """Store messages as a process whose clock shows `at_min`, or immediately."""
    with database.writing() as connection:
        record(connection, messages, START_MS + round(at_min * MINUTE_MS))


def gaps(database: Database) -> list[tuple[float, float]]:
    """Return start and end of the gaps, in minutes."""
    return sorted(
        ((row.from_ms - START_MS) / MINUTE_MS, (row.to_ms - START_MS) / MINUTE_MS) for row in stored(database)
    )


def first_contact_ms(database: Database) -> int | None:
    found: int | None
    (found,) = [row.first_contact_ms for row in rows(database, units) if row.id == "cp-1"]
    return found


def stored(database: Database) -> list[Gap]:
    return sorted(Gap(row.from_ms, row.to_ms) for row in rows(database, contact_gaps))


def true_gaps(contacts_ms: Iterable[int]) -> list[Gap]:
    return [Gap(*pair) for pair in pairwise(sorted(contacts_ms)) if pair[1] - pair[0] > GAP_AFTER_MS]


def test_a_unit_that_comes_back_to_a_process_left_no_gap_while_another_one_heard_it(database: Database) -> None:
    commit(database, heard(0, None))
    for at_min in (5, 10, 15):
        commit(database, heard(at_min, at_min - 5))  # the other process
    commit(database, heard(20, 0))
    assert gaps(database) == []
    commit(database, heard(42, 15))  # the other process again, after a real gap
    assert gaps(database) == [(20, 42)]


def test_a_process_that_never_heard_the_unit_asks_when_it_was_heard_last(database: Database) -> None:
    commit(database, heard(0, None))
    commit(database, heard(30, None))
    commit(database, heard(35, None))
    assert gaps(database) == [(0, 30)]
    assert first_contact_ms(database) == START_MS


def test_a_gap_ends_with_the_earliest_message_after_it_whoever_commits_first(database: Database) -> None:
    commit(database, heard(0, None))
    commit(database, heard(30, 0))
    assert gaps(database) == [(0, 30)]
    commit(database, heard(22, 0), at_min=30)  # the other process, whose commit was delayed
    commit(database, heard(26, 22), at_min=30)  # without a claim of its own
    assert gaps(database) == [(0, 22)]
    assert rows(database, contacts)[0].last_contact_ms == START_MS + 30 * MINUTE_MS, "it does not go back"


def test_the_first_contact_is_the_earliest_whoever_commits_first(database: Database) -> None:
    commit(database, heard(3, None))
    commit(database, heard(2, None), at_min=3)
    commit(database, heard(4, None))
    assert first_contact_ms(database) == START_MS + 2 * MINUTE_MS


def test_an_impossible_last_contact_in_the_store_shows_no_gap(database: Database) -> None:
    commit(database, heard(60 * 24, None))  # by a clock that was fast
    commit(database, heard(0, None))
    assert gaps(database) == []
    assert first_contact_ms(database) == START_MS


def test_what_is_stored_once_more_changes_nothing(database: Database) -> None:
    """The answer to the commit was lost, so everything is written again."""
    batch = [heard(25, 0), heard(50, 25), heard(51, 50)]
    commit(database, heard(0, None))
    for _ in range(2):
        commit(database, *batch)
        assert gaps(database) == [(0, 25), (25, 50)]


def test_nobody_asks_the_store_about_usual_messages() -> None:
    usual, now_ms = [heard(5, 0), heard(5, 3, "cp-2")], START_MS + 5 * MINUTE_MS
    assert not needs_question(usual, now_ms + 50)
    assert needs_question([*usual, heard(5, None, "cp-3")], now_ms + 50)
    assert needs_question(usual, now_ms + 2000), "another process may have been quicker"


def test_a_claim_counts_from_the_later_of_memory_and_store() -> None:
    """Memory may contain a contact that was not stored: the recorder was full, and the message was not acknowledged."""
    (gap,) = find_gaps([heard(50, 25)], {"cp-1": START_MS}).gaps
    assert gap == ("cp-1", Gap(START_MS + 25 * MINUTE_MS, START_MS + 50 * MINUTE_MS))


@pytest.mark.parametrize(
    ("inside", "left"),
    [([], [(0, 60)]), ([0, 60, 70], [(0, 60)]), ([5], [(5, 60)]), ([30], [(0, 30), (30, 60)]), ([19, 39, 58], [])],
)
def test_a_gap_is_split_by_what_was_heard_in_it(inside: Sequence[int], left: Sequence[tuple[int, int]]) -> None:
    expected = [Gap(first * MINUTE_MS, last * MINUTE_MS) for first, last in left]
    assert split(Gap(0, 60 * MINUTE_MS), [at * MINUTE_MS for at in inside]) == expected


@pytest.mark.parametrize("seed", range(STORIES))
def test_any_processes_and_any_order_of_commits_leave_the_true_gaps(database: Database, seed: int) -> None:
    """A unit moves between three processes, each of which stores its messages in order, at different times."""
    chance = random.Random(seed)
    memory = [LiveUnit() for _ in range(3)]
    queues: list[list[InboundMessage]] = [[], [], []]
    at_ms, contacts_ms = START_MS, [START_MS]
    commit(database, heard(0, None))
    for _ in range(30):
        at_ms += round(chance.choice((1, 4, 9, 11, 25)) * MINUTE_MS * chance.uniform(0.8, 1.2))
        process = chance.randrange(3)
        previous_ms = memory[process].contact(at_ms, 0)
        queues[process].append(inbound(at_ms=at_ms)._replace(previous_ms=previous_ms))
        contacts_ms.append(at_ms)
        ready = chance.randrange(3)
        if chance.random() < 0.5 and queues[ready]:
            some = chance.randrange(len(queues[ready])) + 1
            with database.writing() as connection:
                record(connection, queues[ready][:some], at_ms)
            del queues[ready][:some]
    for queue in chance.sample(queues, 3):
        if queue:
            with database.writing() as connection:
                record(connection, queue, at_ms)
    assert stored(database) == true_gaps(contacts_ms), f"seed {seed}"
    assert first_contact_ms(database) == contacts_ms[0]
    assert rows(database, contacts)[0].last_contact_ms == contacts_ms[-1]


def test_two_processes_that_write_the_same_units_in_opposite_orders_never_meet(database: Database) -> None:
    """On PostgreSQL, one would be ended with `deadlock detected`. The test covers every table that `record` writes."""
    names = [f"unit-{number}" for number in range(UNITS)]
    with database.writing() as connection:
        for name in names:
            add_unit(connection, name, 0)
    failed: list[BaseException] = []
    start = threading.Barrier(2, timeout=DEADLINE_S)

    def write(order: Sequence[str], process: int) -> None:
        try:
            for number in range(1, ROUNDS + 1):
                at_ms = START_MS + number * 20 * MINUTE_MS + process
                batch = [message for name in order for message in of_all_kinds(name, number, at_ms)]
                start.wait()
                with database.writing() as connection:
                    record(connection, batch if process else batch[::-1], at_ms)
        except BaseException as error:
            failed.append(error)
            start.abort()

    threads = [threading.Thread(target=write, args=(names, process)) for process in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error for error in failed if not isinstance(error, threading.BrokenBarrierError)] == []
    heard_by_both = [row for row in rows(database, contacts) if row.unit_id in names]
    assert [row.messages for row in heard_by_both] == [ROUNDS * 2 * 3] * UNITS


def of_all_kinds(unit_id: str, number: int, at_ms: int) -> list[InboundMessage]:
    """Return three contacts, the first of which claims a gap in every other round, and a record that a broker delivered to
    both processes."""
    told = b'{"b":1,"n":%d,"s":"A1","p":0,"w":1,"q":20}' % number
    event = b'{"b":1,"n":%d,"k":"authority","d":{"trusts":"%s"}}' % (number, b"a" * 64)
    result = b'{"b":1,"n":%d,"id":"c-%d","ok":true}' % (number, number)
    late = b'{"b":2,"n":%d,"s":60,"y":"unplugged"}' % number
    return [
        inbound(unit_id, at_ms, "heartbeat", told)._replace(previous_ms=None if number % 2 else at_ms),
        inbound(unit_id, at_ms, "event", event)._replace(previous_ms=at_ms),
        inbound(unit_id, at_ms, "result", result)._replace(previous_ms=at_ms),
        inbound(unit_id, at_ms, "session", late)._replace(late=True),
    ]
