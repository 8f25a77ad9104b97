"""Do several processes share one broker's units, each message taken in once?"""

import json
import sqlite3
import time
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


def rows(cloud: CloudFixture, query: str) -> list[Any]:
    with closing(sqlite3.connect(cloud.folder / "chargekeeper.db")) as database:
        return database.execute(query).fetchall()


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"never {what}"
        time.sleep(0.05)
