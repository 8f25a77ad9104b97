"""Does every writer of a process get its turn in order, and can none keep the others out?"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from cloud_bridge.store import database as database_module
from cloud_bridge.store.database import open_database
from cloud_bridge.store.units import add_unit
from cloud_bridge.store.writer_queue import WriterQueue
from tests.cloud_bridge.running import DEADLINE_S

WAITERS = 5
_tick = threading.Event()  # never set


def until_waiting(queue: WriterQueue, count: int) -> None:
    for _ in range(int(DEADLINE_S * 1000)):
        if len(queue._waiting) == count:
            return
        _tick.wait(0.001)
    raise AssertionError(f"timed out: {count} waiting")


@contextmanager
def line_of(queue: WriterQueue, names: list[tuple[str, bool]]) -> Iterator[list[str]]:
    """Return the names in the order of their turns; they begin to wait in the given order."""
    order: list[str] = []

    def write(name: str, first: bool) -> None:
        with queue.turn(first):
            order.append(name)

    threads = [threading.Thread(target=write, args=one) for one in names]
    with queue.turn(False):
        for count, thread in enumerate(threads, 1):
            thread.start()
            until_waiting(queue, count)
    for thread in threads:
        thread.join(DEADLINE_S)
    yield order


def test_turns_come_in_the_order_of_asking() -> None:
    with line_of(WriterQueue(DEADLINE_S), [(str(number), False) for number in range(WAITERS)]) as order:
        assert order == [str(number) for number in range(WAITERS)]


def test_one_that_goes_first_waits_for_nobody_who_waits() -> None:
    with line_of(WriterQueue(DEADLINE_S), [("upkeep", False), ("a page", False), ("recorder", True)]) as order:
        assert order == ["recorder", "upkeep", "a page"]


def test_a_turn_that_does_not_come_is_an_error_and_leaves_the_queue_whole() -> None:
    queue = WriterQueue(0.01)
    with queue.turn(False):
        with pytest.raises(OperationalError, match="another writer of this process"), queue.turn(False):
            pass
        with pytest.raises(OperationalError), queue.turn(True):
            pass
    with queue.turn(False):
        pass
    assert not queue._waiting


def test_a_failed_transaction_ends_its_turn() -> None:
    queue = WriterQueue(DEADLINE_S)
    with pytest.raises(RuntimeError, match="half way"), queue.turn(False):
        raise RuntimeError("half way")
    with queue.turn(False):
        pass


def test_nobody_who_writes_again_and_again_keeps_another_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real file. SQLite's own waiting is polling, which may miss the moment between two transactions."""
    monkeypatch.setattr(database_module, "BUSY_MS", 100)
    database = open_database(tmp_path)
    hogging, stop = threading.Event(), threading.Event()

    def hog() -> None:
        mine = database.separate(1)
        while not stop.is_set():
            with mine.writing(first=True) as connection:
                hogging.set()
                connection.exec_driver_sql("UPDATE units SET name = name")
                _tick.wait(0.005)
        mine.close()

    thread = threading.Thread(target=hog)
    thread.start()
    try:
        assert hogging.wait(DEADLINE_S)
        for number in range(20):
            with database.writing() as connection:
                add_unit(connection, f"cp-{number}", 0)
    finally:
        stop.set()
        thread.join(DEADLINE_S)
        database.close()
