"""Another program locks the database file for 20 seconds. Is nothing lost that was acknowledged, and does each page say
what to do?"""

import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.store.speaker import Speaker

LOCKED_S = 20.0
WITHIN_S = 120.0
PAGES = ("/", "/login", "/status", "/healthz", "/api/charge-points", "/metrics", "/offline")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[CloudFixture]:
    cloud = CloudFixture(tmp_path)
    yield cloud
    cloud.stop()


def ask(cloud: CloudFixture, path: str, form: bytes | None = None) -> tuple[int, str]:
    request = urllib.request.Request(cloud.address + path, form, {"Authorization": "Bearer a token of this test"})
    try:
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_lock_of_twenty_seconds_costs_nothing(cloud: CloudFixture) -> None:
    secret = cloud.command("unit", "add", "one")["secret"]
    cloud.start()
    speaker = Speaker(cloud, ("one", secret))
    try:
        until(lambda: len(speaker.acknowledged) > 20, "acknowledged")
        with closing(sqlite3.connect(cloud.folder / "chargekeeper.db", WITHIN_S, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            ends_s, answers = time.monotonic() + LOCKED_S, []
            while time.monotonic() < ends_s:
                answers += [(path, *ask(cloud, path)) for path in PAGES]
                answers.append(("login", *ask(cloud, "/login", b"name=ann&password=x&form=x")))
                time.sleep(1)
            other.execute("ROLLBACK")
        count = len(speaker.acknowledged)
        until(lambda: len(speaker.acknowledged) > count + 20, "acknowledged again")
        until(lambda: cloud.health().get("listening"), "heard its canary again")
    finally:
        speaker.stop()
    riddles = {(path, status) for path, status, text in answers if status == 500 or (status == 503 and not told(text))}
    assert not riddles
    with closing(sqlite3.connect(cloud.folder / "chargekeeper.db")) as connection:
        stored = {row[0] for row in connection.execute("SELECT sequence FROM events WHERE unit_id = 'one'")}
    assert not speaker.acknowledged - stored, "acknowledged and lost"


def told(text: str) -> bool:
    """Return whether this is a page that says what to do, or the service's state for a program."""
    return "ry again" in text or '"listening"' in text


def until(condition: object, what: str) -> None:
    assert callable(condition)
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.05)
