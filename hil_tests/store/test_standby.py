"""Do pages read a real streaming standby, show what was just changed, and work when the standby is behind or down?"""

import http.cookiejar
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.postgresql import Server

WITHIN_S = 60.0
DATABASE = "chargekeeper"
PAGE = "/account/details"


class Browser:
    """A browser in which one person is logged in."""

    def __init__(self, address: str, name: str, password: str) -> None:
        self._address = address
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.send("/login", name=name, password=password)

    def read(self, path: str = PAGE) -> str:
        with self._opener.open(self._address + path, timeout=WITHIN_S) as answer:
            return str(answer.read().decode())

    def send(self, path: str, **fields: str) -> str:
        """Fill in and send the form of the page."""
        token = re.search(r'name="form" value="([^"]+)"', self.read(path))
        assert token is not None
        data = urllib.parse.urlencode(fields | {"form": token[1]}).encode()
        with self._opener.open(self._address + path, data=data, timeout=WITHIN_S) as answer:
            return str(answer.read().decode())

    def forget_that_it_wrote(self) -> None:
        with suppress(KeyError):  # the cookie only lasts ten seconds
            self.cookies.clear("127.0.0.1", "/", "chargekeeper_wrote")


@pytest.fixture
def standby(server: Server) -> Iterator[Server]:
    server.say(f"CREATE DATABASE {DATABASE}")
    standby = Server(primary=server)
    yield standby
    standby.close()


@pytest.fixture
def cloud(server: Server, standby: Server, tmp_path: Path) -> Iterator[CloudFixture]:
    environment = {
        "CHARGEKEEPER_DATABASE": f"{server.url}/{DATABASE}",
        "CHARGEKEEPER_DATABASE_READ": f"{standby.url}/{DATABASE}",
    }
    cloud = CloudFixture(tmp_path, environment=environment)
    yield cloud
    cloud.stop()


def until(condition: Callable[[], object], what: str) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_s, f"timed out: {what}"
        time.sleep(0.1)


def fallbacks(cloud: CloudFixture) -> int:
    return int(cloud.health()["counters"]["standby_fallbacks"])


def is_asked(cloud: CloudFixture, browser: Browser) -> bool:
    before = fallbacks(cloud)
    browser.read()
    return fallbacks(cloud) == before


def test_pages_read_it_while_it_keeps_up_and_the_primary_otherwise(
    cloud: CloudFixture, server: Server, standby: Server
) -> None:
    password = cloud.command("user", "add", "ann", "--role", "driver")["password"]
    cloud.start()
    browser = Browser(cloud.address, "ann", password)
    browser.forget_that_it_wrote()
    until(lambda: is_asked(cloud, browser), "a page asks the standby")

    standby.say("SELECT pg_wal_replay_pause()")
    browser.send(PAGE, full_name="Ann Archer", phone="0161 496 0000", address="4 Long Lane", access_notes="")
    assert "Ann Archer" in browser.read(), "what was just written is there, though the standby does not have it"
    browser.forget_that_it_wrote()
    until(lambda: not is_asked(cloud, browser), "the standby is too far behind")
    assert "Ann Archer" in browser.read()

    standby.say("SELECT pg_wal_replay_resume()")
    until(lambda: is_asked(cloud, browser), "it catches up")
    assert "Ann Archer" in browser.read()

    standby.stop()
    assert "Ann Archer" in browser.read()
    until(lambda: not is_asked(cloud, browser), "it is down")
    standby.start()
    until(lambda: is_asked(cloud, browser), "it comes back")

    standby.promote()
    until(lambda: not is_asked(cloud, browser), "the promoted one is not asked")
    assert server.say("SELECT count(*) FROM people", DATABASE) == [(1,)]


def test_a_standby_that_is_away_keeps_nobody_from_starting(cloud: CloudFixture, standby: Server) -> None:
    standby.stop()
    password = cloud.command("user", "add", "ann", "--role", "driver")["password"]
    cloud.start()
    browser = Browser(cloud.address, "ann", password)
    browser.forget_that_it_wrote()
    assert "How to reach you" in browser.read()
    assert fallbacks(cloud) > 0
    assert cloud.health()["status"] == "ok"
