"""Does the bridge listen where it is configured to, and close connections that begin a request and do not finish it?"""

import asyncio
import resource
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hil_tests.fixtures.mqtt_unit import connect
from hil_tests.ingest.bridge_with_limits import WITHIN_S, BridgeWithLimits

LATE_S = (18.0, 40.0)  # the limit is 20 s; the rest is for a busy machine
BODY_LATE_S = (28.0, 70.0)  # 30 s with an answer, 40 s without
HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeWithLimits]:
    """A bridge whose soft limit is soon reached, and whose hard limit is not."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    bridge = BridgeWithLimits(tmp_path_factory.mktemp("sockets"), "::", (256, hard))
    yield bridge
    bridge.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_pages_and_units_are_reached_by_both_families(bridge: BridgeWithLimits, host: str) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    url = f"http://{f'[{host}]' if ':' in host else host}:{bridge.http_port}/healthz"
    with urllib.request.urlopen(url, timeout=WITHIN_S) as answer:
        assert answer.status == 200
    with socket.create_connection((host, bridge.mqtt_port), WITHIN_S) as unit:
        unit.sendall(connect("nobody", "x"))
        assert unit.recv(4) == b"\x20\x02\x00\x05", "refused, so it was heard"


def test_the_soft_limit_of_open_files_is_the_hard_one(bridge: BridgeWithLimits) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = Path(f"/proc/{bridge.process.pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
    assert line.split()[3:5] == [str(hard), str(hard)]


async def closed_after_s(host: str, port: int, first: bytes, drip: bytes, warm_up: bytes = b"") -> float:
    """Return the time until the bridge closes a connection that sends `first` and then `drip`, one byte every two seconds."""
    began_s = time.monotonic()  # before the connection exists, so never later than the bridge's own time
    reader, writer = await asyncio.open_connection(host, port)
    if warm_up:
        writer.write(warm_up)
        await reader.readuntil(b"\r\n\r\n")
    writer.write(first)

    async def go_on() -> None:
        for byte in drip:
            await asyncio.sleep(2)
            writer.write(bytes((byte,)))

    dripping = asyncio.create_task(go_on())
    with suppress(ConnectionError):
        while await asyncio.wait_for(reader.read(1000), WITHIN_S):
            pass
    dripping.cancel()
    writer.close()
    return time.monotonic() - began_s


def test_half_a_beginning_is_closed_after_20_s(bridge: BridgeWithLimits) -> None:
    """Dripping bytes do not extend the limit, nor does an earlier request."""
    packet = connect("nobody", "x")

    async def run() -> list[float]:
        return await asyncio.gather(
            closed_after_s("127.0.0.1", bridge.http_port, b"", b""),
            closed_after_s("127.0.0.1", bridge.http_port, b"GET / HT", b""),
            closed_after_s("127.0.0.1", bridge.http_port, HEAD, b"x" * 100),
            closed_after_s("127.0.0.1", bridge.http_port, b"GET / HT", b"", HEAD + b"\r\n"),
            closed_after_s("127.0.0.1", bridge.mqtt_port, b"", b""),
            closed_after_s("127.0.0.1", bridge.mqtt_port, packet[:-1], b""),
            closed_after_s("127.0.0.1", bridge.mqtt_port, packet[:1], packet[1:14]),
        )

    took_s = asyncio.run(run())
    assert all(LATE_S[0] < one < LATE_S[1] for one in took_s), took_s


def test_half_a_body_is_closed_after_40_s(bridge: BridgeWithLimits) -> None:
    """Whether it is read before the route, by the route, or not at all."""
    heads = [
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n",
        b"POST /api/webhooks/smartcar HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n",
    ]

    async def run() -> list[float]:
        return await asyncio.gather(
            *(closed_after_s("127.0.0.1", bridge.http_port, head, b"x" * 100) for head in heads)
        )

    took_s = asyncio.run(run())
    assert all(BODY_LATE_S[0] < one < BODY_LATE_S[1] for one in took_s), took_s


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    bridge = BridgeWithLimits(tmp_path, "127.0.0.1")
    try:
        bridge.process.send_signal(number)
        assert bridge.process.wait(WITHIN_S) == 0, bridge.said()
        assert not list((tmp_path / "data").glob("*-wal")), "the database is closed"
    finally:
        bridge.close()
