"""If the bridge's PostgreSQL is in trouble, is nothing lost that was acknowledged, and does /healthz report it?"""

import json
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.postgresql import Server
from hil_tests.store.speaker import Speaker

WITHIN_S = 120.0
DATABASE = "chargekeeper"
FILLED = ("events", "listening")  # tables: units' messages, and our canary
TROUBLE_S = 4.0  # longer than three tries of the recorder


class Trouble(Protocol):
    """`begin` begins it, and `end` ends it."""

    def begin(self, server: Server) -> None: ...
    def end(self, server: Server) -> None: ...


class ReadOnly:
    def begin(self, server: Server) -> None:
        server.set("default_transaction_read_only", "on")

    def end(self, server: Server) -> None:
        server.set("default_transaction_read_only", None)


class Standby:
    """A server left behind by a failover: it answers every query and accepts no write."""

    def begin(self, server: Server) -> None:
        server.become_standby()

    def end(self, server: Server) -> None:
        server.promote()


class Stopped:
    def begin(self, server: Server) -> None:
        server.stop()

    def end(self, server: Server) -> None:
        server.start()


class NoConnectionLeft:
    """Other programs use all connections."""

    def begin(self, server: Server) -> None:
        server.say(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false")
        cut(server)

    def end(self, server: Server) -> None:
        server.say(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true")


class StatementTimeout:
    """Another transaction locks the row that we write, for longer than our timeout."""

    def begin(self, server: Server) -> None:
        server.say(f"ALTER DATABASE {DATABASE} SET lock_timeout = '300ms'")
        cut(server)
        self._holds = server.hold("LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE", DATABASE)

    def end(self, server: Server) -> None:
        self._holds.close()
        server.say(f"ALTER DATABASE {DATABASE} RESET lock_timeout")
        cut(server)


class LostTable:
    """A migration that failed."""

    def begin(self, server: Server) -> None:
        server.say("ALTER TABLE contacts RENAME TO contacts_away", DATABASE)

    def end(self, server: Server) -> None:
        server.say("ALTER TABLE contacts_away RENAME TO contacts", DATABASE)


class FullDisk:
    """PostgreSQL reports a full disk for writes that need another page, and accepts others."""

    def begin(self, server: Server) -> None:
        server.say(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END$$",
            DATABASE,
        )
        for table in FILLED:
            server.say(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} EXECUTE FUNCTION full_disk()", DATABASE)

    def end(self, server: Server) -> None:
        server.say("DROP FUNCTION full_disk CASCADE", DATABASE)


def cut(server: Server) -> None:
    server.say(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{DATABASE}' AND pid <> pg_backend_pid()"
    )


class Health(NamedTuple):
    status: int
    listening: bool
    canaries: int


def health_of(cloud: CloudFixture) -> Health:
    try:
        said = cloud.get("/healthz")
        return Health(200, said["listening"], said["counters"]["canaries"])
    except urllib.error.HTTPError as error:
        with error:
            said = json.load(error)
        return Health(error.code, said["listening"], said["counters"]["canaries"])


@pytest.fixture
def cloud(server: Server, tmp_path: Path) -> Iterator[CloudFixture]:
    server.say(f"CREATE DATABASE {DATABASE}")
    cloud = CloudFixture(tmp_path, environment={"CHARGEKEEPER_DATABASE": f"{server.url}/{DATABASE}"})
    yield cloud
    cloud.stop()


def until(condition: Any, what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "trouble",
    [ReadOnly(), Standby(), Stopped(), NoConnectionLeft(), StatementTimeout(), LostTable(), FullDisk()],
    ids=lambda one: type(one).__name__,
)
def test_what_is_acknowledged_in_trouble_is_stored(server: Server, cloud: CloudFixture, trouble: Trouble) -> None:
    secret = cloud.command("unit", "add", "one")["secret"]
    cloud.start()
    speaker = Speaker(cloud, ("one", secret))
    try:
        until(lambda: len(speaker.acknowledged) > 20, "acknowledged")
        trouble.begin(server)
        until(lambda: health_of(cloud).status == 503, "told")
        before, count = health_of(cloud), len(speaker.acknowledged)
        assert not before.listening
        time.sleep(TROUBLE_S)
        after = health_of(cloud)
        assert (after.status, after.listening, after.canaries) == (503, False, before.canaries)
        assert len(speaker.acknowledged) <= count + 1, "nothing is acknowledged that is not stored"
        trouble.end(server)
        until(lambda: len(speaker.acknowledged) > count + 20, "acknowledged again")
        until(lambda: health_of(cloud) > (200, True, before.canaries), "heard its canary again")
    finally:
        speaker.stop()
    stored = {row[0] for row in server.say("SELECT sequence FROM events WHERE unit_id = 'one'", DATABASE)}
    lost = speaker.acknowledged - stored
    assert not lost, f"{len(lost)} of {len(speaker.acknowledged)} acknowledged and lost"
    assert cloud.health()["rejected_by_store"] == 0
