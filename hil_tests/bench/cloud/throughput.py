"""Heartbeats per second and core: the embedded broker beside PyPI's ocpp, the paho client beside bare receivers."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import websockets

from hil_tests.bench.cloud.load import Fleet, cpu_s, percentile
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cloud_fixture import MOSQUITTO, CloudFixture
from hil_tests.fixtures.ports import free_ports

CLIENTS = 200
WINDOW = 10  # unacknowledged heartbeats per unit, as after an outage
SECONDS = 6.0
ROUNDS = 3  # of both OCPP servers, in turns
EMBEDDED_FLOOR = 6000
OCPP_RATIO = 3.0
PAHO_SHARE = 0.7
_BARE = [sys.executable, "-m", "hil_tests.bench.cloud.peers", "paho"]
SETTLE_S = 1.5  # until a receiver has subscribed, or has finished


def embedded() -> bool:
    """Measure heartbeats stamped and stored, QoS 1, beside ocpp's Heartbeat. Return True if the floor holds."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = CloudFixture(Path(folder))
        units = cloud.add_units([f"cp{number:05d}" for number in range(CLIENTS)])
        cloud.start()
        try:
            fleet = Fleet(cloud.mqtt_port, units)
            fleet.connect()
            before_s = cpu_s(cloud.bridge.pid)
            sent = fleet.press(WINDOW, SECONDS)
            stored = int(cloud.health()["counters"]["contacts"])
            ours = stored / (cpu_s(cloud.bridge.pid) - before_s)
            fleet.disconnect()
        finally:
            cloud.stop()
    theirs = _ocpp()
    print(f"embedded broker, {CLIENTS} units, QoS 1, stamped and stored: {ours:,.0f} heartbeats/s/core,")
    print(f"  {sent.acknowledged / sent.seconds:,.0f}/s by the wall; acknowledged after p99 ", end="")
    print(f"{percentile(sent.latencies_s, 0.99) * 1000:.0f} ms; at least {EMBEDDED_FLOOR:,} wanted")
    print(
        f"  beside it, ocpp's central system, {CLIENTS} clients: {theirs:,.0f} heartbeats/s/core ({ours / theirs:.1f}x)"
    )
    return ours >= EMBEDDED_FLOOR


def ocpp_door() -> bool:
    """Measure OCPP heartbeats, stamped, stored and answered after the commit, beside the library, which only answers.

    For both, the processor time of the server process counts, user and system. They run in turns, ROUNDS times each:
    what else the machine does costs caches and switches, and so it costs both.
    """
    with tempfile.TemporaryDirectory() as folder:
        (port,) = free_ports(1)
        cloud = CloudFixture(Path(folder), environment={"CHARGEKEEPER_OCPP_PORT": str(port)})
        ids = Path(folder) / "ids.txt"
        ids.write_text("".join(f"cp{number}\n" for number in range(CLIENTS)))
        (added,) = cloud.commands(["unit", "add", "--file", str(ids), "--ocpp"])
        keys = [str(one["secret"]) for one in cast(list[dict[str, Any]], added)]
        cloud.start()
        try:
            before = int(cloud.health()["counters"]["contacts"])
            with _central_system() as (their_port, their_pid):
                our_rounds, their_rounds = [], []
                for _ in range(ROUNDS):
                    our_rounds.append(asyncio.run(_press_ocpp(port, cloud.bridge.pid, keys)))
                    their_rounds.append(asyncio.run(_press_ocpp(their_port, their_pid)))
            stored = int(cloud.health()["counters"]["contacts"]) - before
        finally:
            cloud.stop()
    ours, theirs = _rate(our_rounds), _rate(their_rounds)
    print(
        f"door for OCPP, {CLIENTS} chargers, stamped, stored and answered: {ours:,.0f} heartbeats/s/core ({stored:,} stored)"
    )
    print(
        f"  beside it, ocpp's central system, which stores nothing: {theirs:,.0f} heartbeats/s/core ({ours / theirs:.1f}x, "
        f"at least {OCPP_RATIO:.0f} wanted)"
    )
    return stored > 0 and ours >= OCPP_RATIO * theirs


def _ocpp() -> float:
    with _central_system() as (port, pid):
        return _rate([asyncio.run(_press_ocpp(port, pid)) for _ in range(ROUNDS)])


@contextmanager
def _central_system() -> Iterator[tuple[int, int]]:
    """Run the library's central system in a process of its own. Yield its port and its process id."""
    words = [sys.executable, "-m", "hil_tests.bench.cloud.peers", "ocpp"]
    process = subprocess.Popen(words, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
    finally:
        process.kill()
        process.wait()


def _rate(rounds: Sequence[tuple[int, float]]) -> float:
    """Return heartbeats per second of processor time over all rounds, each (count, seconds)."""
    return sum(count for count, _ in rounds) / sum(used_s for _, used_s in rounds)


async def _press_ocpp(port: int, pid: int, keys: Sequence[str] = ("",) * CLIENTS) -> tuple[int, float]:
    """Send heartbeats. Return how many were answered, and the processor time used for them."""
    opened = [
        await websockets.connect(
            f"ws://127.0.0.1:{port}/cp{number}",
            subprotocols=[websockets.Subprotocol("ocpp1.6")],
            additional_headers={"Authorization": f"Basic {b64encode(f'cp{number}:{key}'.encode()).decode()}"},
            compression=None,
        )
        for number, key in enumerate(keys)
    ]
    before_s, end_s = cpu_s(pid), time.monotonic() + SECONDS / ROUNDS
    counts = await asyncio.gather(*[_beat(connection, end_s) for connection in opened])
    used_s = cpu_s(pid) - before_s
    for connection in opened:
        connection.transport.abort()
    return sum(counts), used_s


async def _beat(connection: Any, end_s: float) -> int:
    count = 0
    while time.monotonic() < end_s:
        await connection.send(json.dumps([2, str(count), "Heartbeat", {}]))
        await connection.recv()
        count += 1
    return count


def outside() -> bool:
    """Measure the same flow through mosquitto: to the bridge, a bare paho receiver and mosquitto_sub. True if the share
    holds."""
    if MOSQUITTO is None:
        print("paho way in: skipped, mosquitto is not installed")
        return True
    with tempfile.TemporaryDirectory() as folder:
        cloud = CloudFixture(Path(folder), outside=True)
        units = cloud.add_units([f"cp{number:05d}" for number in range(CLIENTS)])
        cloud.start()
        secret = (cloud.broker_folder / "bridge.secret").read_text()
        sub = shutil.which("mosquitto_sub")
        try:
            fleet = Fleet(cloud.mqtt_port, units)
            fleet.connect()
            ours, stored = _through_us(cloud, fleet)
            cloud.kill_bridge()
            theirs = _through([*_BARE, "5", str(cloud.mqtt_port), "_bridge-2", secret], fleet)
            older = _through([*_BARE, "4", str(cloud.mqtt_port), "_bridge-3", secret], fleet)
            print(f"paho way in over mosquitto, stamped and stored: {ours:,.0f} messages/s/core ({stored:,} stored)")
            print(
                f"  beside it, a bare paho receiver of MQTT 5, as ours is: {theirs:,.0f} messages/s/core; ours is ",
                end="",
            )
            print(f"{ours / theirs:.2f} of it, at least {PAHO_SHARE} wanted")
            print(f"  and of MQTT 3.1.1, whose messages have no properties: {older:,.0f} ({ours / older:.2f})")
            if sub is None:
                print("  mosquitto_sub: skipped, apt-get install mosquitto-clients")
            else:
                words = [sub, "-p", str(cloud.mqtt_port), "-u", "_bridge-4", "-P", secret, "-i", "_bridge-4"]
                rate = _through([*words, "-q", "1", "-t", "cp/+/heartbeat"], fleet)
                print(f"  mosquitto_sub: {rate:,.0f} messages/s/core")
            fleet.disconnect()
        finally:
            cloud.stop()
    return ours >= PAHO_SHARE * theirs


def _through_us(cloud: CloudFixture, fleet: Fleet) -> tuple[float, int]:
    before_s = cpu_s(cloud.bridge.pid)
    fleet.press(WINDOW, SECONDS)
    while _still_coming(cloud):
        pass
    stored = int(cloud.health()["counters"]["contacts"])
    return stored / (cpu_s(cloud.bridge.pid) - before_s), stored


def _still_coming(cloud: CloudFixture) -> bool:
    before = cloud.health()["counters"]["contacts"]
    time.sleep(0.3)
    return bool(cloud.health()["counters"]["contacts"] != before)


def _through(words: list[str], fleet: Fleet) -> float:
    """Return messages per second and core of a receiver that prints a line for each, or their number when its input ends."""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(words, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=out, preexec_fn=die_with_parent)
        assert process.stdin is not None
        time.sleep(SETTLE_S)
        idle_s = cpu_s(process.pid)
        fleet.press(WINDOW, SECONDS)
        used_s = idle_s
        while (now_s := cpu_s(process.pid)) != used_s:  # until its queue is empty
            used_s = now_s
            time.sleep(SETTLE_S)
        process.stdin.close()
        time.sleep(SETTLE_S)
        process.terminate()
        process.wait()
        out.seek(0)
        lines = out.read().splitlines()
    count = int(lines[-1]) if lines[0] == "ready" else len(lines)
    return count / (used_s - idle_s)
