"""Does at most one process hold the lock, and never a dead one?"""

import os
import signal
import sys
import threading
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from cloud_bridge.store.database import LOCK_NAME, open_database
from cloud_bridge.store.exclusive_lock import LockTimeout, exclusive_lock
from tests.cloud_bridge.running import store_at

HOLDS = """
import sys
from pathlib import Path
from cloud_bridge.store.exclusive_lock import exclusive_lock
from cloud_bridge.store.database import open_database
where = sys.argv[1]
with exclusive_lock(open_database(where if "://" in where else Path(where)), "work", 0):
    print("inside", flush=True)
    sys.stdin.read()
"""


def test_a_second_one_waits_outside_until_the_first_has_left(tmp_path: Path) -> None:
    database = open_database(store_at(tmp_path))
    with exclusive_lock(database, "work", 0):
        with pytest.raises(LockTimeout), exclusive_lock(database, "work", 0):
            pass
        with exclusive_lock(database, "other work", 0):
            pass
    with exclusive_lock(database, "work", 0):
        pass
    assert [path.name for path in tmp_path.glob("*.lock")] in ([], [LOCK_NAME])
    database.close()


def test_of_many_none_meets_another(tmp_path: Path) -> None:
    database = open_database(store_at(tmp_path))
    inside, met = [0], []

    def go_in() -> None:
        for _ in range(5):
            with exclusive_lock(database, "work", 10):
                inside[0] += 1
                met.append(inside[0])
                inside[0] -= 1

    crowd = [threading.Thread(target=go_in) for _ in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert met == [1] * 20
    database.close()


def test_whoever_fails_inside_leaves_the_door_open(tmp_path: Path) -> None:
    database = open_database(store_at(tmp_path))
    with pytest.raises(ZeroDivisionError), exclusive_lock(database, "work", 0):
        raise ZeroDivisionError
    with exclusive_lock(database, "work", 0):
        pass
    database.close()


def test_the_lock_of_one_who_was_killed_is_gone_with_it(tmp_path: Path) -> None:
    where = store_at(tmp_path)
    database = open_database(where)
    with Popen([sys.executable, "-c", HOLDS, str(where)], stdin=PIPE, stdout=PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"inside\n"
        with pytest.raises(LockTimeout), exclusive_lock(database, "work", 0):
            pass
        os.kill(holder.pid, signal.SIGKILL)
        with exclusive_lock(database, "work", 10):
            pass
    database.close()
