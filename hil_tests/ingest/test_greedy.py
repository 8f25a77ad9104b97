"""Can one unit or one account harm others with what it is allowed to do? Tested on a running bridge, with real sockets."""

import http.client
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from urllib.parse import urlencode

import pytest

from hil_tests.bench.cloud.load import cpu_s
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.mqtt_unit import CONNACK_OK, connect, publish

WITHIN_S = 60.0
BURST, PER_S = 5000, 1.0  # packets of a unit
MOST_OF_ACCOUNT = 10  # live streams of an account
FLOOD_S = 8.0
BATCH = 100  # messages in one write
SOON_S = 7.0  # during the flood, or with half requests open
STREAMS = 60
WATCHED_S = 5.0
SHARE = 0.3  # of a core; for the remaining streams and the rest of the bridge, on a busy machine
HALVES = 150


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudFixture]:
    cloud = CloudFixture(tmp_path_factory.mktemp("greedy"))
    cloud.start()
    yield cloud
    cloud.stop()


def flood(port: int, unit: tuple[str, str], until_s: float) -> int:
    """Send events as fast as possible, and reconnect when disconnected. Return the number acknowledged."""
    acknowledged = number = 0
    while time.monotonic() < until_s:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), SOON_S) as one:
            one.sendall(connect(*unit))
            if one.recv(4) != CONNACK_OK:
                continue
            while time.monotonic() < until_s:
                one.sendall(
                    b"".join(
                        publish(f"cp/{unit[0]}/event", b'{"b":1,"n":%d}' % (number + at), at + 1) for at in range(BATCH)
                    )
                )
                number += BATCH
                got = 0
                while got < 4 * BATCH and (piece := one.recv(65536)):
                    got += len(piece)
                acknowledged += got // 4
                if got < 4 * BATCH:
                    break
    return acknowledged


def test_a_unit_that_floods_is_stored_to_its_quota_and_others_are_acknowledged_soon(cloud: CloudFixture) -> None:
    greedy, good = cloud.add_units(["greedy", "good"])
    found: list[int] = []
    begun_s = time.monotonic()
    flooding = threading.Thread(target=lambda: found.append(flood(cloud.mqtt_port, greedy, begun_s + FLOOD_S)))
    flooding.start()
    honest, slowest_s = cloud.connect(good), 0.0
    while flooding.is_alive():
        sent_s = time.monotonic()
        honest.publish("event", b'{"k":"boot"}')
        slowest_s = max(slowest_s, time.monotonic() - sent_s)
        time.sleep(0.05)
    took_s = time.monotonic() - begun_s
    with closing(sqlite3.connect(cloud.folder / "chargekeeper.db")) as store:
        (stored,) = store.execute("SELECT count(*) FROM events WHERE unit_id = 'greedy'").fetchone()
    print(f"\nacknowledged {found[0]}, stored {stored} in {took_s:.0f} s; another unit after {slowest_s:.2f} s at most")
    assert stored <= BURST + PER_S * took_s
    assert slowest_s < SOON_S
    assert cloud.health()["counters"]["refused_over_quota"] > 0


def log_in(cloud: CloudFixture, name: str, password: str) -> str:
    """Log in; return the session's cookies."""
    cookies: dict[str, str] = {}

    def ask(method: str, body: str | None = None) -> str:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(http.client.HTTPConnection("127.0.0.1", cloud.http_port, timeout=WITHIN_S)) as connection:
            connection.request(method, "/login", body, headers)
            answer = connection.getresponse()
            for one in answer.msg.get_all("set-cookie") or []:
                cookie, _, value = one.partition("=")
                cookies[cookie] = value.partition(";")[0]
            return answer.read().decode()

    form = re.search(r'name="form" value="(\w+)"', ask("GET"))
    assert form
    ask("POST", urlencode({"name": name, "password": password, "form": form[1]}))
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def test_an_account_has_ten_streams(cloud: CloudFixture) -> None:
    """The newest ten stay open, and cost little."""
    (unit,) = cloud.add_units(["shown"])
    cloud.connect(unit).report("heartbeat", s="C2", m="smart", q=17, o="23415", a=32, w=7360, e=129000, f=[])
    cookie = log_in(cloud, "sue", cloud.command("user", "add", "sue", "--role", "support")["password"])
    request = f"GET /live?of=shown:x HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode()
    with ExitStack() as stack:
        opened = []
        for _ in range(STREAMS):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", cloud.http_port), WITHIN_S))
            one.sendall(request)
            assert b"200 OK" in one.recv(300)
            opened.append(one)
        for one in opened[:-MOST_OF_ACCOUNT]:
            said = b""
            while b"event: closed" not in said and (piece := one.recv(65536)):
                said += piece
            assert b"event: closed" in said
        before_s = cpu_s(cloud.bridge.pid)
        time.sleep(WATCHED_S)
        share = (cpu_s(cloud.bridge.pid) - before_s) / WATCHED_S
        print(f"\n{STREAMS} streams were asked for: {share:.2f} of a core")
        for one in opened[-MOST_OF_ACCOUNT:]:
            one.setblocking(False)
            with suppress(BlockingIOError):
                while piece := one.recv(65536):
                    assert b"event: closed" not in piece
                pytest.fail("one of the newest was closed")
    assert share < SHARE


def test_half_requests_hinder_no_page_and_are_all_gone_after_70_s(cloud: CloudFixture) -> None:
    """Half headers and half bodies, from the same address as the person who loads a page."""
    beginnings = (
        b"GET /login HTTP/1.1\r\nHost: x\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nname=",
    )
    begun_s = time.monotonic()
    with ExitStack() as stack:
        halves = []
        for number in range(HALVES):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", cloud.http_port), WITHIN_S))
            one.sendall(beginnings[number % 2])
            halves.append(one)
        asked_s = time.monotonic()
        cloud.health()
        took_s = time.monotonic() - asked_s
        for one in halves:
            with suppress(ConnectionResetError):
                while one.recv(65536):
                    pass
        print(f"\na page after {took_s:.2f} s, all closed after {time.monotonic() - begun_s:.0f} s")
    assert took_s < SOON_S
    assert time.monotonic() - begun_s < 70
