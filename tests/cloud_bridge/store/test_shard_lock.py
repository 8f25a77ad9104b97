"""Does each shard of the units have one process, and never a dead one?"""

import os
import signal
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.store.database import Database
from cloud_bridge.store.shard_lock import ShardLock, ShardTaken, hold_shard
from tests.cloud_bridge.running import running_bridge, store_at

HOLDS = """
import sys
from pathlib import Path
from cloud_bridge.store.database import open_database
from cloud_bridge.store.shard_lock import hold_shard
where = sys.argv[1]
with hold_shard(open_database(where if "://" in where else Path(where)), 1, 0):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_what_to_do(database: Database) -> None:
    with hold_shard(database, 1, 0):
        with (
            pytest.raises(ShardTaken, match="already receives part 1 of the units.*CHARGEKEEPER_PART=1/2"),
            hold_shard(database, 1, 0),
        ):
            pass
        with hold_shard(database, 2, 0):
            pass
    with hold_shard(database, 1, 0):
        pass


def test_what_was_held_by_one_that_was_killed_is_free(database: Database, tmp_path: Path) -> None:
    with Popen([sys.executable, "-c", HOLDS, str(store_at(tmp_path))], stdin=PIPE, stdout=PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ShardTaken), hold_shard(database, 1, 0):
            pass
        os.kill(holder.pid, signal.SIGKILL)
        with hold_shard(database, 1, 10):
            pass


def test_a_bridge_holds_its_shard_until_it_has_ended(database: Database, tmp_path: Path) -> None:
    with running_bridge(tmp_path), pytest.raises(ShardTaken), hold_shard(database, 1, 0):
        pass
    with hold_shard(database, 1, 0) as lock:
        lock.look()


@pytest.mark.store("postgresql")
def test_a_server_that_forgot_the_lock_is_asked_for_it_again(database: Database) -> None:
    lock = ShardLock(database, 1)
    lock.take(0)
    end_sessions(database)
    lock.look()
    with pytest.raises(ShardTaken), hold_shard(database, 1, 0):
        pass
    end_sessions(database)
    with hold_shard(database, 1, 0):  # another process was faster
        with pytest.raises(ShardTaken):
            lock.look()
        assert lock.lost is not None
    lock.release()


def end_sessions(database: Database) -> None:
    """End all other sessions, as a failover does."""
    with database.reading() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        connection.execute(text(f"{others} AND datname = current_database()"))


@pytest.mark.store("postgresql")
def test_while_the_server_is_away_nobody_can_tell(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = ShardLock(database, 1)
    lock.take(0)
    end_sessions(database)
    separate = database.separate

    def away(connections: int) -> Database:
        raise SQLAlchemyError("away")

    monkeypatch.setattr(database, "separate", away)
    with pytest.raises(SQLAlchemyError):
        lock.look()
    assert lock.lost is None
    monkeypatch.setattr(database, "separate", separate)
    lock.look()
    lock.release()
