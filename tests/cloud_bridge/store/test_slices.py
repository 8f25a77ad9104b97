"""Do transactions of upkeep end after their time, whatever is left to do and however long a step takes?"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import IntegrityError

from cloud_bridge.store.database import Database
from cloud_bridge.store.slices import PAUSE_S, SLICE_S, Timing, in_slices, one_by_one
from cloud_bridge.store.tables import contacts, units

CONTACT = {"last_contact_ms": 1, "last_kind": "event", "messages": 1, "bad_payloads": 0}


class Work:
    """Steps of given durations, on a clock that only steps and pauses advance."""

    def __init__(self, database: Database, steps_s: list[float]) -> None:
        self.now_s, self.paused_s, self.transactions = 1000.0, list[float](), list[list[float]]()
        self._database, self._steps_s = database, steps_s

    def done(self) -> list[list[float]]:
        timing = Timing(lambda: self.now_s, self.paused_s.append)
        in_slices(self._writing, one_by_one(self._steps_s, self._step), timing)
        return self.transactions

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        self.transactions.append([])
        with self._database.writing_slice() as connection:
            yield connection

    def _step(self, _connection: Connection, took_s: float) -> None:
        self.now_s += took_s
        self.transactions[-1].append(took_s)


@pytest.mark.parametrize(
    "steps_s, transactions",
    [
        ([], [[]]),
        ([0.001] * 3, [[0.001] * 3]),
        ([SLICE_S] * 3, [[SLICE_S]] * 3 + [[]]),
        ([SLICE_S * 0.4] * 7, [[SLICE_S * 0.4] * 3] * 2 + [[SLICE_S * 0.4]]),
        ([10.0, 0.001, 0.001], [[10.0], [0.001, 0.001]]),
    ],
)
def test_a_slice_ends_with_the_step_that_spends_its_time(
    database: Database, steps_s: list[float], transactions: list[list[float]]
) -> None:
    work = Work(database, steps_s)
    assert work.done() == transactions
    assert work.paused_s == [PAUSE_S] * (len(transactions) - 1)


def test_what_fails_takes_only_its_own_slice_back(database: Database) -> None:
    names = ["one", "two", "three"]
    clock = iter(range(100))  # a second between two calls, so each step is a transaction

    def add(connection: Connection, name: str) -> None:
        row = {"id": name, "secret_hash": "", "claim_hash": name, "created_ms": 0}
        connection.execute(insert(units), row)
        if name == names[-1]:
            raise RuntimeError(name)

    with pytest.raises(RuntimeError):
        in_slices(database.writing_slice, one_by_one(names, add), Timing(lambda: next(clock), lambda _: None))
    with database.reading() as connection:
        assert set(connection.execute(text("SELECT id FROM units")).scalars()) >= {"one", "two"}
        assert "three" not in connection.execute(text("SELECT id FROM units")).scalars().all()


@pytest.mark.store("sqlite")
@pytest.mark.parametrize("fails", [False, True])
def test_a_connection_is_as_before_when_its_slice_has_ended(database: Database, fails: bool) -> None:
    """It returns to the pool, and its next user must get errors for broken references."""
    try:
        with database.writing_slice(referred_to=False) as connection:
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 0
            if fails:
                connection.execute(text("no statement"))
    except Exception:
        assert fails
    with database.writing_slice() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    with database.reading() as connection:
        assert connection.execute(text("PRAGMA wal_autocheckpoint")).scalar() == 1000
    with pytest.raises(IntegrityError), database.writing() as connection:
        connection.execute(insert(contacts), CONTACT | {"unit_id": "nobody"})


@pytest.mark.store("sqlite")
def test_a_slice_is_copied_into_the_file_after_its_turn(database: Database) -> None:
    """The write-ahead log stays small, and no other writer waits for the checkpoint."""
    with database.writing_slice() as connection:
        row = {"id": "big", "secret_hash": "", "claim_hash": "", "created_ms": 0, "name": "x" * 100}
        connection.execute(insert(units), row)
    assert database.file is not None
    assert b"x" * 100 in database.file.read_bytes()
