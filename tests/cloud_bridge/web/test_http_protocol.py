"""Does the pages' server close incomplete requests in time, and surplus connections?"""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from cloud_bridge.connection_limits import Budget, divide
from cloud_bridge.counters import Counters
from cloud_bridge.web import http_protocol
from cloud_bridge.web.http_protocol import MAX_HEAD_BYTES, PageConnections
from cloud_bridge.web.server import PageServer

WITHIN_S = 60.0
SHORT_S = 0.2
BUDGET = divide(1000)._replace(pages=30, idle_pages=20, pages_of_network=12)
WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = WHOLE[:-2]
POST = b"POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"


async def _without_end() -> AsyncIterator[bytes]:
    while True:
        yield b"."
        await asyncio.sleep(SHORT_S / 10)


class Pages:
    """A server with a few routes, on loopback."""

    def __init__(self, proxies: tuple[str, ...] = (), budget: Budget = BUDGET) -> None:
        self.counters = Counters()
        self.go_on = threading.Event()
        app = FastAPI()

        @app.get("/")
        def quick(request: Request) -> str:
            return request.client.host if request.client else "?"

        @app.get("/slow")
        def slow() -> str:
            return str(self.go_on.wait(WITHIN_S))

        @app.post("/read")
        async def read(request: Request) -> int:
            return len(await request.body())

        @app.post("/endless")
        async def endless() -> StreamingResponse:
            return StreamingResponse(_without_end())

        @app.post("/unread")
        async def unread() -> str:
            return "answered"

        self._listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listening.getsockname()[1]
        connections = PageConnections(budget, self.counters, proxies)
        self._server = PageServer(app, connections, self.counters, proxies)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([self._listening])))
        self._thread.start()

    def open(self, data: bytes, address: str = "127.0.0.1") -> socket.socket:
        one = socket.create_connection(("127.0.0.1", self.port), WITHIN_S, (address, 0))
        one.sendall(data)
        return one

    def close(self) -> None:
        self.go_on.set()
        self._server.stop()
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive()


Start = Callable[..., Pages]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def started(*arguments: object) -> Pages:
            pages = Pages(*arguments)  # type: ignore[arg-type]  # those of Pages
            stack.callback(pages.close)
            return pages

        yield started


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_WITHIN_S", SHORT_S)
    monkeypatch.setattr(http_protocol, "BODY_WITHIN_S", SHORT_S)


def all_of(one: socket.socket) -> bytes:
    """Read until the other side closes the connection."""
    found = b""
    with one:
        try:
            while piece := one.recv(4096):
                found += piece
        except ConnectionResetError:
            pass
    return found


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("data", "answers"),
    [
        (b"", 0),
        (b"G", 0),
        (HALF, 0),
        (WHOLE + HALF, 1),
        (POST % b"read", 0),
        (POST % b"read" + b"8 bytes.", 0),
        (POST % b"unread", 1),
        (POST % b"read" + b"9 bytes.." + POST % b"read" + b"8", 1),
        (WHOLE + WHOLE + POST % b"unread" + b"8", 3),
    ],
)
def test_what_is_not_whole_in_time_is_closed(start: Start, data: bytes, answers: int) -> None:
    """Also after it was answered, and after complete requests before it."""
    assert all_of(start().open(data)).count(b"HTTP/1.1 200") == answers


@pytest.mark.usefixtures("impatient")
def test_a_whole_request_may_take_its_time(start: Start) -> None:
    pages = start()
    slow = pages.open(WHOLE.replace(b"/", b"/slow", 1))
    assert all_of(pages.open(HALF)) == b"", "the deadline has passed meanwhile"
    pages.go_on.set()
    assert all_of(slow).startswith(b"HTTP/1.1 200")


def test_the_oldest_of_too_many_half_requests_of_an_address_goes(start: Start) -> None:
    """Other addresses are unaffected."""
    pages = start()
    most = BUDGET.pages_of_network // 2
    with ExitStack() as stack:
        other = stack.enter_context(pages.open(HALF, "127.0.0.2"))
        opened = [stack.enter_context(pages.open(HALF)) for _ in range(most + 4)]
        for one in opened[:4]:
            assert all_of(one) == b""
        for one in (other, *opened[4:]):
            one.sendall(b"Connection: close\r\n\r\n")
            assert all_of(one).startswith(b"HTTP/1.1 200")
    assert pages.counters.closed_pages_crowded == 4


def test_the_connections_of_a_proxy_are_those_of_many(start: Start) -> None:
    """Its X-Forwarded-For header is trusted too, and nobody else's."""
    pages = start(("127.0.0.1/32",))
    with ExitStack() as stack:
        opened = [stack.enter_context(pages.open(HALF)) for _ in range(BUDGET.pages_of_network)]
        for one in opened:
            one.sendall(b"X-Forwarded-For: 192.0.2.7\r\nConnection: close\r\n\r\n")
            assert all_of(one).endswith(b'"192.0.2.7"')
    stranger = pages.open(HALF, "127.0.0.2")
    stranger.sendall(b"X-Forwarded-For: 192.0.2.7\r\nConnection: close\r\n\r\n")
    assert all_of(stranger).endswith(b'"127.0.0.2"')
    assert pages.counters.closed_pages_crowded == 0


def test_without_a_setting_nobody_is_believed(start: Start) -> None:
    one = start().open(HALF + b"X-Forwarded-For: 192.0.2.7\r\nConnection: close\r\n\r\n")
    assert all_of(one).endswith(b'"127.0.0.1"')


def test_of_all_addresses_together_the_oldest_goes_and_requests_are_answered(start: Start) -> None:
    pages = start()
    with ExitStack() as stack:
        for number in range(100):
            stack.enter_context(pages.open(HALF, f"127.0.1.{number + 1}"))
        assert all_of(pages.open(HALF + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert pages.counters.closed_pages_crowded >= 80


def test_a_head_without_end_is_refused(start: Start) -> None:
    with start().open(HALF) as one:
        for _ in range(MAX_HEAD_BYTES // 1000 + 2):
            one.sendall(b"X: " + b"x" * 995 + b"\r\n")
        assert all_of(one).startswith(b"HTTP/1.1 400")


def test_no_other_protocol_takes_the_connection_over(start: Start) -> None:
    """A WebSocket would have no limits."""
    asked = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n\r\n"
    with start().open(HALF + asked) as one:
        assert one.recv(12) == b"HTTP/1.1 200"


CHUNKED = b"POST /%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
BAD_CHUNK = b"-1\r\n\r\n"


@pytest.mark.parametrize(
    ("request_", "then", "status"),
    [
        (CHUNKED % b"unread" + BAD_CHUNK, b"", b"400"),
        (CHUNKED % b"unread", BAD_CHUNK, b"200"),
        (CHUNKED % b"endless", BAD_CHUNK, b"200"),
        (WHOLE + b"\0 / HTTP/1.1\r\n\r\n", b"", b"200"),
    ],
    ids=["before it is answered", "after its answer", "during its answer", "as a second request"],
)
def test_a_body_that_breaks_http_ends_its_connection_without_an_error_of_ours(
    start: Start, caplog: pytest.LogCaptureFixture, request_: bytes, then: bytes, status: bytes
) -> None:
    """However far the answer is when it is noticed. The log says that the request was invalid, without a traceback."""
    pages = start()
    with caplog.at_level(logging.WARNING), pages.open(request_) as one:
        answer = b""
        if then:
            answer = one.recv(4096)
            one.sendall(then)
        answer += all_of(one)
        pages.close()
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
