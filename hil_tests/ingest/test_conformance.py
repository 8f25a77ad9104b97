"""For every way in: does a message count as contact exactly if it reached us live, and is nothing lost?"""

import json
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from hil_tests.fixtures.cloud_fixture import MOSQUITTO, CloudFixture
from hil_tests.fixtures.cluster_fixture import DATABASE, ClusterFixture

WITHIN_S = 90.0
KILLS = 4
EACH_LIFE = 30  # messages
MANY = 40
PAUSE_S = 0.02  # between two messages of a unit; without it, ten units send 3,300 a second
SEED = 20260101


@pytest.fixture(params=["embedded", "mosquitto", "jetstream"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CloudFixture]:
    if request.param == "jetstream":
        cluster = ClusterFixture(tmp_path)
        yield cluster
        cluster.stop()
        return
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    cloud = CloudFixture(tmp_path, outside=request.param == "mosquitto")
    yield cloud
    cloud.stop()


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.02)


def counter(cloud: CloudFixture, name: str) -> int:
    return int(cloud.health()["counters"][name])


def heartbeat(number: int) -> bytes:
    return json.dumps({"n": number, "b": 1, "s": "A1", "q": 17}).encode()


def rows(cloud: CloudFixture, query: str) -> list[Any]:
    if isinstance(cloud, ClusterFixture):
        return cloud.postgresql.say(query, DATABASE)
    with closing(sqlite3.connect(cloud.folder / "chargekeeper.db")) as database:
        return database.execute(query).fetchall()


def test_only_a_live_publish_on_a_unit_s_own_topics_is_contact(cloud: CloudFixture) -> None:
    (one, other) = cloud.add_units(["one", "other"])
    cloud.start()
    unit = cloud.connect(one, will="cp/one/lwt")
    time.sleep(0.2)
    assert cloud.charge_point("one")["contact"] == "never", "connecting alone is none"

    unit.publish("heartbeat", heartbeat(1), retain=True)
    unit.publish("heartbeat", heartbeat(1), unit="other")
    unit.publish("event", b"{}", unit="other")
    time.sleep(0.3)
    assert cloud.charge_point("other")["contact"] == "never", "another unit's topic"

    unit.publish("heartbeat", b"\xff not JSON")
    until(lambda: cloud.charge_point("one")["contact"] == "online", "online after a bad payload")
    until(lambda: counter(cloud, "bad_payloads") == 1, "counted as one")
    until(
        lambda: rows(cloud, "SELECT bad_payloads FROM contacts WHERE unit_id = 'one'") == [(1,)], "the last one stored"
    )

    before = cloud.charge_point("one")["last_contact"]
    unit.drop()
    time.sleep(0.5)
    assert cloud.charge_point("one")["last_contact"] == before, "a will is none"

    cloud.connect(other).publish("heartbeat", heartbeat(1), dup=True)
    until(lambda: cloud.charge_point("other")["contact"] == "online", "online after a redelivery by the unit")


def test_a_stranger_and_a_wrong_secret_get_nowhere_and_disturb_nobody(cloud: CloudFixture) -> None:
    (one,) = cloud.add_units(["one"])
    cloud.start()
    unit = cloud.connect(one)
    for name, secret in (("one", "guess"), ("nobody", "guess")):
        with pytest.raises(OSError):
            cloud.connect((name, secret))
    unit.publish("heartbeat", heartbeat(1))
    until(lambda: cloud.charge_point("one")["contact"] == "online", "online")


def test_no_message_of_a_revoked_unit_counts_any_more(cloud: CloudFixture) -> None:
    """Whatever happens to its connection. An external broker is not even reloaded here, as if it were not ours.

    `python -m hil_tests.bench.cloud revoked` measures how soon.
    """
    one, other = cloud.add_units(["one", "other"])
    cloud.start()
    units = [cloud.connect(one), cloud.connect(other)]
    (cloud.broker_folder / "mosquitto.pid").unlink(missing_ok=True)
    for unit in units:
        unit.publish("event", json.dumps({"n": 1, "b": 1, "k": "tamper"}).encode())
    until(lambda: counter(cloud, "contacts") == 2, "both in contact")
    number = mark = 1

    def publish_many() -> None:
        nonlocal number
        for _ in range(MANY):
            number += 1
            with suppress(OSError):
                units[0].publish("event", json.dumps({"n": number, "b": 1, "k": "tamper"}).encode())
            time.sleep(0.02)

    def contacts() -> int:
        """Return the number of contacts, once a later message of the other unit has counted."""
        nonlocal mark
        mark += 1
        units[1].publish("event", json.dumps({"n": mark, "b": 1, "k": "tamper"}).encode())
        newest = "SELECT max(sequence) FROM events WHERE unit_id = 'other'"
        until(lambda: rows(cloud, newest) == [(mark,)], "the other unit still in contact")
        return counter(cloud, "contacts")

    def none_counts() -> bool:
        counted = contacts()
        publish_many()
        return contacts() == counted + 1

    assert cloud.command("unit", "revoke", "one")["revoked"] is True
    until(none_counts, "ignored")
    counted = contacts()
    before, last = cloud.charge_point("one")["last_contact"], number
    publish_many()
    assert contacts() == counted + 1
    assert cloud.charge_point("one")["last_contact"] == before
    stored = rows(cloud, "SELECT max(sequence) FROM events WHERE unit_id = 'one'")[0][0]
    assert stored <= last


def test_what_was_acknowledged_before_a_restart_is_no_contact_after_it(cloud: CloudFixture) -> None:
    """An external broker delivers a backlog after our outage: it is stored, but does not count as contact. A cluster
    records when each message arrived, so there it is a contact of that time."""
    (one,) = cloud.add_units(["one"])
    cloud.start()
    unit = cloud.connect(one)
    unit.publish("heartbeat", heartbeat(1))
    until(lambda: cloud.charge_point("one")["contact"] == "online", "online")
    before = cloud.charge_point("one")["last_contact"]
    until(lambda: rows(cloud, "SELECT * FROM heartbeats") != [], "the heartbeat was stored, and the contact with it")
    cloud.kill_bridge()
    acknowledged = []
    for number in range(2, 30):
        try:
            unit.publish("event", json.dumps({"n": number, "b": 1, "k": "tamper"}).encode())
            acknowledged.append(number)
        except OSError:  # the embedded broker ended with the bridge, so there is no backlog
            break
    stamped_by_ms = time.time() * 1000
    cloud.start()
    until(lambda: len(rows(cloud, "SELECT * FROM events")) == len(acknowledged), "the backlog was stored")
    if isinstance(cloud, ClusterFixture):
        (seen_ms,) = rows(cloud, "SELECT last_contact_ms FROM contacts")[0]
        assert stamped_by_ms - 1000 * WITHIN_S < seen_ms <= stamped_by_ms
        return
    assert cloud.charge_point("one")["last_contact"] == before
    assert counter(cloud, "contacts") == 0


def test_kill_9_of_every_process_at_random_loses_nothing_acknowledged(cloud: CloudFixture) -> None:
    units = cloud.add_units([f"cp-{number}" for number in range(10)])
    cloud.start()
    acknowledged: set[tuple[str, int]] = set()
    stop = threading.Event()

    def publish(name: str, secret: str) -> None:
        number = 0
        while not stop.is_set():
            try:
                station = cloud.connect((name, secret))
                while not stop.is_set():
                    number += 1
                    station.publish("event", json.dumps({"b": 1, "n": number, "k": "tamper"}).encode())
                    acknowledged.add((name, number))
                    stop.wait(PAUSE_S)
            except OSError:
                stop.wait(0.05)

    threads = [threading.Thread(target=publish, args=unit) for unit in units]
    for thread in threads:
        thread.start()
    dice = random.Random(SEED)

    def live_for_a_while() -> None:
        """Wait until some messages are acknowledged in each life, however slow the machine is."""
        least = len(acknowledged) + EACH_LIFE
        until(lambda: len(acknowledged) >= least, "acknowledged")
        time.sleep(dice.uniform(0.3, 1.0))

    try:
        for _ in range(KILLS):
            live_for_a_while()
            cloud.kill_bridge()
            cloud.start()
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    def stored() -> set[tuple[str, int]]:
        return {tuple(row) for row in rows(cloud, "SELECT unit_id, sequence FROM events")}

    until(lambda: not acknowledged - stored(), f"{len(acknowledged)} acknowledged were all stored")
    count = rows(cloud, "SELECT count(*) FROM events")[0][0]
    assert count == len(stored()), "each once"
    stored_ms, marks = time.time() * 1000, counter(cloud, "canaries")
    assert len(acknowledged) >= KILLS * EACH_LIFE
    until(lambda: counter(cloud, "canaries") > marks, "a canary later")
    for name, _ in units:
        seen = rows(cloud, f"SELECT last_contact_ms FROM contacts WHERE unit_id = '{name}'")
        assert not seen or seen[0][0] <= stored_ms, "no contact later than the unit's last word"
        assert cloud.charge_point(name)["contact"] != "silent"
    assert "locked" not in cloud.bridge.log.read_text(), "no writer of the bridge is kept out by the others"
