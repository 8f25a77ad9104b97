"""Does the bridge listen where it was told, let go of whoever begins and does not go on, and outlive a lack of files?"""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.mqtt_unit import connect
from hil_tests.fixtures.ports import free_ports

WITHIN_S = 60.0
LATE_S = (18.0, 40.0)  # 20 s, and a busy machine
FEW_FILES = 120
HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


class Bridge:
    """A process of its own: its limits and its signals are what is asked about."""

    def __init__(self, folder: Path, host: str, files: tuple[int, int] | None = None) -> None:
        self.http_port, self.mqtt_port = free_ports(2)
        self.log = folder / "log"
        environment = os.environ | {
            "CHARGEKEEPER_DATA": str(folder / "data"),
            "CHARGEKEEPER_HOST": host,
            "CHARGEKEEPER_HTTP_PORT": str(self.http_port),
            "CHARGEKEEPER_MQTT_PORT": str(self.mqtt_port),
            "CHARGEKEEPER_MQTT_PLAIN": "anywhere",
        }

        def prepare() -> None:
            die_with_parent()
            if files is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, files)

        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cloud_bridge"],
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=prepare,
            )
        give_up_s = time.monotonic() + WITHIN_S
        while "broker mqtt://" not in self.said():
            assert self.process.poll() is None and time.monotonic() < give_up_s, self.said()
            time.sleep(0.1)

    def said(self) -> str:
        return self.log.read_text()

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    """With a soft limit that is soon reached, and a hard one that is not."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    bridge = Bridge(tmp_path_factory.mktemp("sockets"), "::", (256, hard))
    yield bridge
    bridge.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_pages_and_units_are_reached_by_both_families(bridge: Bridge, host: str) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    url = f"http://{f'[{host}]' if ':' in host else host}:{bridge.http_port}/healthz"
    with urllib.request.urlopen(url, timeout=WITHIN_S) as answer:
        assert answer.status == 200
    with socket.create_connection((host, bridge.mqtt_port), WITHIN_S) as unit:
        unit.sendall(connect("nobody", "x"))
        assert unit.recv(4) == b"\x20\x02\x00\x05", "refused, so it was heard"


def test_the_soft_limit_of_open_files_is_the_hard_one(bridge: Bridge) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = Path(f"/proc/{bridge.process.pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
    assert line.split()[3:5] == [str(hard), str(hard)]


async def closed_after_s(host: str, port: int, first: bytes, drip: bytes, warm_up: bytes = b"") -> float:
    """How long until the bridge closes a connection that sends `first` and then `drip`, a byte every two seconds."""
    reader, writer = await asyncio.open_connection(host, port)
    if warm_up:
        writer.write(warm_up)
        await reader.readuntil(b"\r\n\r\n")
    began_s = time.monotonic()
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


def test_half_a_beginning_is_closed_after_20_s(bridge: Bridge) -> None:
    """Bytes that drip do not extend it, nor does a request before it."""
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


def test_without_files_every_failure_is_a_line_and_the_next_connection_is_taken(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path, "127.0.0.1", (FEW_FILES, FEW_FILES))
    try:
        with ExitStack() as stack:
            for _ in range(FEW_FILES):
                stack.enter_context(socket.create_connection(("127.0.0.1", bridge.mqtt_port), WITHIN_S))
            give_up_s = time.monotonic() + WITHIN_S
            while "was not accepted" not in bridge.said():
                assert time.monotonic() < give_up_s, bridge.said()
                time.sleep(0.2)
        give_up_s = time.monotonic() + WITHIN_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{bridge.http_port}/healthz", timeout=5) as answer:
                    told = answer.read().decode()
                break
            except OSError:
                assert time.monotonic() < give_up_s and bridge.process.poll() is None, bridge.said()
        assert '"failed_accepts":0' not in told.replace(" ", "")
        lines = [line for line in bridge.said().splitlines() if "accept" in line]
        assert all("a connection was not accepted: Too many open files (" in line for line in lines), lines
        assert "Traceback" not in bridge.said()
    finally:
        bridge.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    bridge = Bridge(tmp_path, "127.0.0.1")
    try:
        bridge.process.send_signal(number)
        assert bridge.process.wait(WITHIN_S) == 0, bridge.said()
        assert not list((tmp_path / "data").glob("*-wal")), "the database is closed"
    finally:
        bridge.close()
