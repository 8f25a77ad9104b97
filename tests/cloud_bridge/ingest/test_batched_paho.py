"""Is all that one call fetched read at once, and do acknowledgements leave together?"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode

from cloud_bridge.ingest.batched_paho import FETCH_BYTES, BatchedClient, BatchedSocket

OK, LOST = MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_CONN_LOST


class Inner:
    """Of a socket: what it has, and how much it takes."""

    def __init__(self, *fetches: bytes, takes: int = 10_000) -> None:
        self.fetches, self.takes = list(fetches), takes
        self.asked: list[int] = []
        self.sent = b""
        self.done: list[Any] = []

    def recv(self, size: int) -> bytes:
        self.asked.append(size)
        return self.fetches.pop(0)

    def send(self, data: bytes) -> int:
        if not self.takes:
            raise BlockingIOError
        taken = bytes(data[: self.takes])
        self.sent += taken
        return len(taken)

    def close(self) -> None:
        self.done.append("closed")

    def fileno(self) -> int:
        return 7

    def setblocking(self, flag: bool) -> None:
        self.done.append(flag)

    def shutdown(self, _how: int) -> None:
        self.done.append("shut")
        raise OSError("it has ended already")


class Loop:
    """What is to be called soon."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []

    def call_soon_threadsafe(self, call: Callable[[], None]) -> None:
        self.soon.append(call)


def batched(inner: Any, loop: Any) -> BatchedSocket:
    return BatchedSocket(inner, loop)


def test_one_call_fetches_and_many_reads_take_of_it() -> None:
    inner = Inner(b"abcdef", b"gh")
    one = batched(inner, Loop())
    assert one.pending() == 0
    assert [one.recv(2), one.recv(1)] == [b"ab", b"c"] and one.pending() == 3
    assert [one.recv(100), one.recv(100)] == [b"def", b"gh"] and one.pending() == 0
    assert inner.asked == [FETCH_BYTES, FETCH_BYTES]


def test_what_the_broker_does_not_read_goes_out_before_what_comes_next() -> None:
    inner = Inner(takes=2)
    one = batched(inner, Loop())
    assert one.send(b"abc") == 3 and inner.sent == b"ab"
    inner.takes = 0
    assert one.send(b"d") == 1
    inner.takes = 100
    assert one.send(b"") == 0 and inner.sent == b"abcd"


def test_acknowledgements_of_a_turn_leave_together() -> None:
    inner, loop = Inner(), Loop()
    one = batched(inner, loop)
    for number in (1, 2, 0x1234):
        one.acknowledge(number)
    assert len(loop.soon) == 1 and inner.sent == b""
    loop.soon.pop()()
    assert inner.sent == b"\x40\x02\x00\x01\x40\x02\x00\x02\x40\x02\x12\x34"
    one.acknowledge(3)
    loop.soon.pop()()
    assert inner.sent.endswith(b"\x40\x02\x12\x34\x40\x02\x00\x03")


def test_what_is_the_socket_s_is_left_to_it() -> None:
    inner = Inner()
    one = batched(inner, Loop())
    one.setblocking(False)
    one.shut_down()
    one.close()
    assert one.fileno() == 7 and inner.done == [False, "shut", "closed"]


@pytest.fixture
def errors() -> list[BaseException]:
    return []


@pytest.fixture
def client(errors: list[BaseException]) -> Iterator[Any]:
    loop = asyncio.new_event_loop()
    yield BatchedClient(loop, errors.append)
    loop.close()


def test_all_that_was_fetched_is_read_until_there_is_none_or_an_error(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[MQTTErrorCode] = []
    asked: list[int] = []

    def read(_client: Any, most: int) -> MQTTErrorCode:
        asked.append(most)
        return codes.pop(0)

    monkeypatch.setattr(paho.Client, "loop_read", read)
    client.batched = batched(Inner(b"abc"), Loop())
    client.batched.recv(1)
    codes[:] = [LOST]
    assert client.loop_read() is LOST and asked == [1]
    codes[:] = [OK, OK, LOST]
    assert client.loop_read(5) is LOST and asked[1:] == [5, 5, 5]
    client.batched.recv(2)
    codes[:] = [OK]
    assert client.loop_read() is OK and asked[4:] == [1]


def test_a_thread_that_is_not_there_is_not_joined(client: Any) -> None:
    assert client.loop_stop() is MQTTErrorCode.MQTT_ERR_INVAL and not client._thread_terminate


def test_a_thread_is_told_to_end_and_joined_by_another(client: Any) -> None:
    client._thread = thread = threading.Thread(target=lambda: None)
    thread.start()
    assert client.loop_stop() is OK and client._thread_terminate and not thread.is_alive()
    client._thread, client._thread_terminate = threading.current_thread(), False
    assert client.loop_stop() is OK and client._thread_terminate


def test_an_error_ends_the_connection_and_not_the_thread(
    client: Any, errors: list[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[BaseException | None] = [ValueError("ours"), SystemExit(), None]
    done: list[str] = []

    def loop_forever(retry_first_connection: bool) -> None:
        assert retry_first_connection
        if (end := ends.pop(0)) is not None:
            raise end

    for name in ("_sock_close", "_reconnect_wait", "_reset_sockets"):
        monkeypatch.setattr(client, name, lambda name=name: done.append(name))
    monkeypatch.setattr(client, "loop_forever", loop_forever)
    client._thread = threading.current_thread()
    client._thread_main()
    assert [type(error) for error in errors] == [ValueError, SystemExit] and client._thread is None
    assert done == ["_sock_close", "_reconnect_wait"] * 2 + ["_reset_sockets"]


def test_its_socket_is_a_batched_one(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paho.Client, "_create_socket", lambda _client: Inner(b"x"))
    made = client._create_socket()
    assert made is client.batched and made.recv(1) == b"x"
