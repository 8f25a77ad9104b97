"""Does a contact count for the time that its path had listened by then, whenever it is stored?"""

import random
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud_bridge.contact import OUTAGE_AFTER_MS, Gap, Listened
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.paths import EVERY, path_number
from cloud_bridge.store import history
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.inbound_message import CanaryMark, InboundMessage
from cloud_bridge.store.ownership import Period
from cloud_bridge.store.paths import adopt_strays, record_mark
from cloud_bridge.store.presence import Presence, record_presence
from cloud_bridge.store.record import read_listened, record
from cloud_bridge.store.tables import contact_gaps, events, listening_gaps
from cloud_bridge.wire import decode
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.recording import last_contacts, rows
from tests.cloud_bridge.running import store_at

N1, N2 = path_number("n1"), path_number("n2")
DOORS = (("n1", N1), ("n2", N2))
START_MS = 1_800_000_000_000
OLD = Gap(START_MS, START_MS + HOUR_MS)
SEEDS = range(40)
TAMPER = b'{"k":"tamper"}'


def message(at_ms: int, payload: bytes = b"{}", kind: str = "heartbeat", again: bool = False) -> InboundMessage:
    return InboundMessage(
        "cp-1", kind, at_ms, payload, decode(kind, payload), False, doors=DOORS, stored_by_ms=at_ms, again=again
    )


def mark(database: Database, at_ms: int, path: int = N1, paths: tuple[int, ...] = (N1,)) -> None:
    with database.writing() as connection:
        record_mark(connection, CanaryMark(at_ms, path, 0, at_ms, paths), at_ms)


def store(database: Database, *messages: InboundMessage) -> None:
    with database.writing() as connection:
        record(connection, messages)


def connect(database: Database, node: str) -> None:
    with database.writing() as connection:
        record_presence(connection, [Presence("cp-1", True, node, START_MS)])


def listened_ms(database: Database) -> int:
    with database.reading() as connection:
        return last_contacts(connection)["cp-1"].listened_ms


@pytest.mark.parametrize("seed", SEEDS)
def test_a_message_of_the_past_stands_for_what_was_listened_then(database: Database, seed: int) -> None:
    dice = random.Random(seed)
    connect(database, "n1")
    heard_ms = [START_MS]
    for _ in range(dice.randrange(1, 12)):
        heard_ms.append(heard_ms[-1] + dice.choice((5000, dice.randrange(1, 60_000))))
    for at_ms in heard_ms:
        mark(database, at_ms)
    stamp_ms = dice.randrange(START_MS, heard_ms[-1] + 60_000)
    store(database, message(stamp_ms))
    pairs = zip(heard_ms, heard_ms[1:], strict=False)
    in_time = [(from_ms, to_ms) for from_ms, to_ms in pairs if to_ms - from_ms <= OUTAGE_AFTER_MS]
    by_then_ms = sum(max(0, min(to_ms, stamp_ms) - from_ms) for from_ms, to_ms in in_time)
    since_ms = min(max(0, stamp_ms - heard_ms[-1]), 2 * OUTAGE_AFTER_MS)  # the most that the next canary may add
    assert listened_ms(database) == by_then_ms + since_ms, f"seed {seed}"


def test_a_message_that_is_stored_after_a_later_one_changes_nothing_of_its_contact(database: Database) -> None:
    for at in range(10):
        mark(database, START_MS + 5000 * at)
    connect(database, "n1")
    store(database, message(START_MS + 45_000))
    connect(database, "n2")
    store(database, message(START_MS + 20_000))
    with database.reading() as connection:
        contact = last_contacts(connection)["cp-1"]
    assert (contact.at_ms, contact.listened_ms, contact.shard) == (START_MS + 45_000, 45_000, N1)


@pytest.mark.parametrize(("node", "path"), [("n1", N1), ("n2", N2), ("n3", EVERY), ("part 1", EVERY), (None, EVERY)])
def test_a_contact_is_on_the_path_of_the_node_that_the_unit_is_on(
    database: Database, node: str | None, path: int
) -> None:
    """Or of every path, while the node is unknown."""
    if node is not None:
        connect(database, node)
    store(database, message(START_MS))
    with database.reading() as connection:
        assert last_contacts(connection)["cp-1"].shard == path


def test_a_path_that_was_never_heard_has_not_listened(database: Database) -> None:
    connect(database, "n2")
    store(database, message(START_MS))
    assert listened_ms(database) == 0


def test_a_canary_of_each_path_counts_for_its_own_and_for_all_at_once(database: Database) -> None:
    for at in range(10):
        for path in (N1, N2):
            mark(database, START_MS + 5000 * at, path, (N1, N2))
    with database.reading() as connection:
        known = read_listened(connection)
    assert known == {number: Listened(START_MS + 45_000, 45_000, START_MS + 45_000) for number in (N1, N2, EVERY)}


def test_contacts_of_a_node_that_was_taken_away_count_anew_on_every_path(database: Database) -> None:
    for at in range(10):
        mark(database, START_MS + 5000 * at)
    connect(database, "n2")
    store(database, message(START_MS))
    with database.writing() as connection:
        adopt_strays(connection, {N1: "n1"})
    with database.reading() as connection:
        contact = last_contacts(connection)["cp-1"]
    assert (contact.listened_ms, contact.shard) == (45_000, EVERY)


def test_a_record_without_numbers_that_is_delivered_again_is_stored_once(database: Database) -> None:
    store(database, message(START_MS, payload=TAMPER, kind="event"))
    store(database, message(START_MS, payload=TAMPER, kind="event", again=True))
    assert len(rows(database, events)) == 1
    store(database, message(START_MS + 1, payload=TAMPER, kind="event", again=True))
    assert len(rows(database, events)) == 2, "the first delivery of it was lost with a worker"


def test_a_gap_of_ours_has_its_path_and_a_unit_s_the_one_that_it_was_on(database: Database) -> None:
    """n2 fails for an hour. cp-1 was behind it, and returns through n1; cp-2 falls silent behind n1 by itself."""
    both, back_ms = (N1, N2), START_MS + HOUR_MS
    connect(database, "n2")
    with database.writing() as connection:
        record_presence(connection, [Presence("cp-2", True, "n1", START_MS)])
    for path in both:
        mark(database, START_MS, path, both)
    first = message(START_MS)
    store(database, first, first._replace(unit_id="cp-2"))
    for at_ms in range(START_MS + 5000, back_ms, 5000):
        mark(database, at_ms, N1, both)
    for path in both:
        mark(database, back_ms, path, both)
    connect(database, "n1")
    last = message(back_ms)
    store(database, last, last._replace(unit_id="cp-2"))
    one, two = Period("cp-1", 0, 0), Period("cp-2", 0, 0)
    whole = Gap(START_MS, back_ms)
    assert [(row.from_ms, row.path, row.to_ms) for row in rows(database, listening_gaps)] == [(START_MS, N2, back_ms)]
    assert {row.unit_id: row.path for row in rows(database, contact_gaps)} == {"cp-1": N2, "cp-2": N1}
    with database.reading() as connection:
        for period, ours in ((one, [whole]), (two, [])):
            assert history.unit_gaps(connection, period, START_MS, back_ms, back_ms) == [whole]
            assert history.outages(connection, period, N1, START_MS, back_ms, back_ms) == ours


def test_a_gap_of_ours_that_lasts_excuses_whoever_was_on_its_path(database: Database) -> None:
    """n2 is still down when cp-1 has returned through n1: the store has n2's gap only after n2 is heard again."""
    both, back_ms = (N1, N2), START_MS + HOUR_MS
    connect(database, "n2")
    for path in both:
        mark(database, START_MS, path, both)
    store(database, message(START_MS))
    connect(database, "n1")
    store(database, message(back_ms))
    period, lasting = Period("cp-1", 0, 0), Gap(START_MS, back_ms + 5000)
    with database.reading() as connection:
        for deaf, ours in ((N2, [Gap(START_MS, back_ms)]), (N1, [Gap(back_ms, back_ms + 5000)])):
            assert history.outages(connection, period, N1, START_MS, back_ms, None, {deaf: lasting}) == ours


def test_gaps_of_two_paths_may_begin_in_one_millisecond(database: Database) -> None:
    both = (N1, N2)
    for at_ms in (START_MS, START_MS + HOUR_MS):
        for path in both:
            mark(database, at_ms, path, both)
    assert sorted((row.from_ms, row.path) for row in rows(database, listening_gaps)) == sorted(
        (START_MS, path) for path in both
    )


def test_the_gaps_of_before_are_those_of_every_path(tmp_path: Path) -> None:
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0039")
    with before.writing() as connection:
        connection.execute(text("INSERT INTO listening_gaps (from_ms, to_ms) VALUES (:from_ms, :to_ms)"), OLD._asdict())
    before.close()
    database = open_database(where)
    try:
        with database.reading() as connection:
            assert history.outages(connection, Period("cp-1", 0, 0), N1, 0, OLD.to_ms, OLD.to_ms) == [OLD]
    finally:
        database.close()
