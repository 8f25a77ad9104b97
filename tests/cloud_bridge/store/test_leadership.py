"""Is there exactly one leader among all processes of a database, and another when it has ended?"""

import math
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.leadership import DEAD_LINE_S, LEADS_S, LOOK_EVERY_S, Leadership, lock_of
from tests.cloud_bridge.running import DEADLINE_S, START_MS, HandClock, store_at

LEADS = """
import sys
from pathlib import Path
from cloud_bridge.clock import SystemClock
from cloud_bridge.store.database import open_database
from cloud_bridge.store.leadership import Leadership, lock_of
where = sys.argv[1]
leadership = Leadership(lock_of(open_database(where if "://" in where else Path(where))), SystemClock())
leadership.look()
print(leadership.is_leader, flush=True)
sys.stdin.read()
"""


class Seconds:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class AnsweringLock:
    """A lock with a given answer; `takes_s` is the delay of the answer."""

    lasts_s = LEADS_S

    def __init__(self, monotonic_s: Seconds) -> None:
        self.answer: bool | Exception = True
        self.takes_s = 0.0
        self._monotonic_s = monotonic_s

    def hold(self) -> bool:
        self._monotonic_s.now_s += self.takes_s
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.answer = False


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[list[Database]]:
    found = [open_database(store_at(tmp_path)) for _ in range(2)]
    yield found
    for database in found:
        database.close()


def leaderships(databases: list[Database]) -> list[Leadership]:
    return [Leadership(lock_of(database), HandClock()) for database in databases]


def take_over(leadership: Leadership) -> None:
    """PostgreSQL notices within a moment that a connection has ended."""
    give_up_s = time.monotonic() + DEADLINE_S
    while not leadership.is_leader:
        assert time.monotonic() < give_up_s
        leadership.look()


def test_one_of_two_leads_and_the_other_when_the_first_has_closed(databases: list[Database]) -> None:
    first, second = leaderships(databases)
    for _ in range(2):
        first.look()
        second.look()
        assert (first.is_leader, second.is_leader) == (True, False)
    assert (first.since_ms, second.since_ms) == (START_MS, None)
    first.close()
    take_over(second)
    assert (first.is_leader, second.is_leader) == (False, True)
    second.close()


def test_one_that_is_killed_leads_no_more(tmp_path: Path) -> None:
    where = store_at(tmp_path)
    other = Popen([sys.executable, "-c", LEADS, str(where)], stdin=PIPE, stdout=PIPE, text=True)
    assert other.stdout is not None and other.stdout.readline() == "True\n"
    database = open_database(where)
    ours = Leadership(lock_of(database), HandClock())
    ours.look()
    assert not ours.is_leader
    other.send_signal(signal.SIGKILL)
    other.communicate()
    take_over(ours)
    ours.close()
    database.close()


@pytest.mark.store("postgresql")
def test_who_has_lost_the_session_leads_no_more_and_may_lead_again(databases: list[Database]) -> None:
    first, second = leaderships(databases)
    first.look()
    with databases[0].reading() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
    take_over(second)
    with pytest.raises(OperationalError):
        first.look()
    assert not first.is_leader
    first.look()
    assert not first.is_leader
    second.close()
    take_over(first)
    first.close()


@pytest.mark.store("postgresql")
def test_postgresql_gives_up_a_dead_line_later_than_its_holder(databases: list[Database]) -> None:
    """We rely on what PostgreSQL's manual says about these settings; hil_tests measures the time."""
    lock = lock_of(databases[0])
    assert lock.hold()
    session = lock._session  # type: ignore[attr-defined]
    idle, interval, count = (
        int(session.execute(text(f"SELECT current_setting('tcp_keepalives_{name}')")).scalar_one())
        for name in ("idle", "interval", "count")
    )
    assert idle + interval * count == DEAD_LINE_S > LEADS_S
    if session.dialect.server_version_info >= (14,):
        assert session.execute(text("SHOW idle_session_timeout")).scalar_one() == f"{DEAD_LINE_S}s"
    assert session.execute(text("SHOW tcp_user_timeout")).scalar_one() == str(DEAD_LINE_S * 1000)
    assert DEAD_LINE_S + 2 * LOOK_EVERY_S < 10, "as the README promises"
    lock.close()


def test_it_leads_for_a_while_from_its_question_and_not_from_the_answer() -> None:
    clock, seconds = HandClock(), Seconds()
    lock = AnsweringLock(seconds)
    leadership = Leadership(lock, clock, seconds)
    assert (leadership.is_leader, leadership.since_ms) == (False, None)
    lock.takes_s = LEADS_S - 1
    leadership.look()
    assert leadership.is_leader
    seconds.now_s += 1
    assert (leadership.is_leader, leadership.since_ms) == (False, None)
    lock.takes_s = LEADS_S + 1
    leadership.look()
    assert not leadership.is_leader, "an answer that was too long on its way"
    lock.takes_s = 0
    clock.advance(1000)
    leadership.look()
    assert leadership.since_ms == START_MS + 1000
    clock.advance(1000)
    leadership.look()
    assert leadership.since_ms == START_MS + 1000, "it went on"


@pytest.mark.parametrize("answer", [False, OSError("no such folder")])
def test_whoever_is_not_told_so_does_not_lead(answer: bool | Exception) -> None:
    lock = AnsweringLock(Seconds())
    leadership = Leadership(lock, HandClock(), Seconds())
    leadership.look()
    lock.answer = answer
    if isinstance(answer, Exception):
        with pytest.raises(OSError, match="no such folder"):
            leadership.look()
    else:
        leadership.look()
    assert not leadership.is_leader


@pytest.mark.store("sqlite")
def test_a_file_needs_no_second_question(databases: list[Database]) -> None:
    assert lock_of(databases[0]).lasts_s == math.inf
