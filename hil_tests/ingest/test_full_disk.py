"""If the disk is full, are pages still answered, does /healthz report the reason, and is nothing lost that was
acknowledged?"""

import json
import resource
import sqlite3
import threading
import time
import urllib.error
from contextlib import closing
from pathlib import Path

from hil_tests.fixtures.cloud_fixture import CloudFixture

ROOM_BYTES = 256 * 1024  # for the database's WAL; beyond it, no file of the bridge may grow
WITHIN_S = 90.0
TRIES_S = 2.5  # the recorder tries once a second


def test_a_full_disk_stops_acknowledgements_and_nothing_else(tmp_path: Path) -> None:
    """A limit on the file size of the bridge (RLIMIT_FSIZE) simulates the full disk: any user can set and lift it."""
    cloud = CloudFixture(tmp_path)
    (unit,) = cloud.add_units(["one"])
    cloud.start()
    pid = cloud.bridge.pid
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    acknowledged: list[int] = []
    done = threading.Event()

    def speak() -> None:
        station = cloud.connect(unit)
        number = 0
        while not done.is_set():
            number += 1
            station.publish("event", json.dumps({"b": 1, "n": number, "k": "tamper", "d": {"x": "x" * 2000}}).encode())
            acknowledged.append(number)

    speaking = threading.Thread(target=speak)
    try:
        largest = max(path.stat().st_size for path in tmp_path.glob("chargekeeper.db*"))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest + ROOM_BYTES, most))
        speaking.start()
        give_up_s = time.monotonic() + WITHIN_S
        while not stays_full(cloud, acknowledged):
            assert time.monotonic() < give_up_s, "acknowledgements never stopped"
        count = len(acknowledged)
        assert cloud.charge_point("one")["contact"] == "online", "readers are answered, from memory and store"
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        give_up_s = time.monotonic() + WITHIN_S
        while len(acknowledged) < count + 5:
            assert time.monotonic() < give_up_s, "it never went on"
            time.sleep(0.05)
        assert cloud.health()["status"] == "ok"
    finally:
        done.set()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        speaking.join(WITHIN_S)
        cloud.stop()
    with closing(sqlite3.connect(tmp_path / "chargekeeper.db")) as database:
        stored = {row[0] for row in database.execute("SELECT sequence FROM events")}
    assert set(acknowledged) <= stored


def stays_full(cloud: CloudFixture, acknowledged: list[int]) -> bool:
    """Return whether acknowledgements stop over several tries of the recorder.

    After the first tries, SQLite starts its WAL again, which makes room once more.
    """
    said = trouble(cloud)
    assert "full" in said or "I/O" in said
    count = len(acknowledged)
    time.sleep(TRIES_S)
    return len(acknowledged) == count


def trouble(cloud: CloudFixture) -> str:
    """Return the trouble that /healthz reports, once it answers 503."""
    give_up_s = time.monotonic() + WITHIN_S
    while time.monotonic() < give_up_s:
        try:
            cloud.get("/healthz")
        except urllib.error.HTTPError as error:
            with error:
                assert error.code == 503
                return str(json.load(error)["trouble"])
        time.sleep(0.05)
    raise AssertionError("/healthz never answered 503")
