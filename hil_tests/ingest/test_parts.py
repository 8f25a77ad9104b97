"""Do several processes share one broker's units, taking in each message once, also when their number changes?"""

import json
import sqlite3
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hil_tests.fixtures.cloud_fixture import MOSQUITTO, CloudFixture

PARTS = 3
UNITS = 12
EVENTS = 5
WITHIN_S = 90.0


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
def test_every_unit_is_heard_by_one_of_three_processes(tmp_path: Path) -> None:
    cloud = CloudFixture(tmp_path, outside=True, environment={"CHARGEKEEPER_PART": f"1/{PARTS}"})
    units = cloud.add_units([f"cp-{number}" for number in range(UNITS)])
    try:
        cloud.start()
        for number in range(2, PARTS + 1):
            cloud.start_part(number, PARTS)
        until(lambda: len(rows(cloud, "SELECT id FROM listening")) == PARTS, "all three listened")
        for unit in units:
            station = cloud.connect(unit)
            for number in range(1, EVENTS + 1):
                station.publish("event", json.dumps({"b": 1, "n": number, "k": "tamper"}).encode())
        counted = "SELECT unit_id, messages FROM contacts ORDER BY unit_id"
        once = sorted((name, EVENTS) for name, _ in units)
        until(lambda: rows(cloud, counted) == once, "each message was taken in once")
        assert len(rows(cloud, "SELECT id FROM events")) == UNITS * EVENTS
        assert {cloud.charge_point(name)["contact"] for name, _ in units} == {"online"}, (
            "the pages see all parts' units"
        )
        taken = int(cloud.health()["counters"]["contacts"])
        assert 0 < taken < UNITS * EVENTS, "this process took in its own part alone"
    finally:
        cloud.stop()


def start(cloud: CloudFixture, parts: int) -> None:
    """Start the bridge as the first of `parts` parts, and the others beside it. Return when all have listened."""
    cloud.bridge.environment["CHARGEKEEPER_PART"] = f"1/{parts}"
    began_ms = time.time_ns() // 1_000_000
    cloud.start()
    for number in range(2, parts + 1):
        cloud.start_part(number, parts)
    listened = f"SELECT id FROM listening WHERE until_ms >= {began_ms}"
    until(lambda: len(rows(cloud, listened)) == parts, "all of them listened")


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
@pytest.mark.parametrize(("before", "after"), [(2, 3), (3, 2), (3, 1), (1, 4)])
def test_units_move_to_another_part_and_nothing_of_them_is_lost_or_doubled(
    tmp_path: Path, before: int, after: int
) -> None:
    """Including what is acknowledged while no part runs, for units that move to a part that has never run."""
    cloud = CloudFixture(tmp_path, outside=True)
    names = [f"cp-{number}" for number in range(UNITS)]
    moved = [name for name in names if zlib.crc32(name.encode()) % before != zlib.crc32(name.encode()) % after]
    assert len(moved) > UNITS // 4
    events = "SELECT unit_id, sequence FROM events ORDER BY unit_id, sequence"
    contacts = "SELECT unit_id, messages, shard FROM contacts ORDER BY unit_id"
    units = cloud.add_units(names)

    def shards(messages: int, parts: int) -> list[Any]:
        return sorted((name, messages, zlib.crc32(name.encode()) % parts + 1) for name in names)

    def kept(sequences: list[int]) -> list[Any]:
        return sorted((name, number) for name in names for number in sequences)

    try:
        start(cloud, before)
        connected = [cloud.connect(unit) for unit in units]
        for unit in connected:
            unit.publish("heartbeat", b'{"b":1,"n":1,"s":"A1"}')
            unit.publish("event", b'{"b":1,"n":2,"k":"tamper"}')
        until(lambda: rows(cloud, contacts) == shards(2, before), "each message was taken in once")
        last = {name: cloud.charge_point(name)["last_contact"] for name in names}
        cloud.stop_bridge()
        for unit in connected:
            unit.publish("event", b'{"b":1,"n":3,"k":"tamper"}')  # acknowledged by the broker
        start(cloud, after)
        shown = {name: cloud.charge_point(name) for name in names}
        assert {name: one["last_contact"] for name, one in shown.items()} == last
        assert {one["contact"] for one in shown.values()} == {"online"}
        until(lambda: rows(cloud, events) == kept([2, 3]), "what was kept for us is there, once")
        for unit in connected:
            unit.publish("event", b'{"b":1,"n":4,"k":"tamper"}')
        until(lambda: rows(cloud, contacts) == shards(3, after), "each is heard by its new part, once")
        assert all(cloud.charge_point(name)["last_contact"] > last[name] for name in names)
        assert rows(cloud, events) == kept([2, 3, 4])
        assert rows(cloud, "SELECT unit_id FROM transitions") == []
        cloud.stop_bridge()
        start(cloud, before)
        assert rows(cloud, events) == kept([2, 3, 4]), "nothing is delivered again"
        assert rows(cloud, contacts) == shards(3, before)
    finally:
        cloud.stop()


def rows(cloud: CloudFixture, query: str) -> list[Any]:
    with closing(sqlite3.connect(cloud.folder / "chargekeeper.db")) as database:
        return database.execute(query).fetchall()


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.05)
