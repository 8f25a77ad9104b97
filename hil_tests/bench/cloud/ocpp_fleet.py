"""2,000 OCPP chargers on one listener: all lose their connection and return at once, while a person opens a page."""

import asyncio
import json
import os
import sqlite3
import tempfile
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, cast

import websockets
from websockets.asyncio.client import ClientConnection

from hil_tests.bench.cloud.browser import NAME
from hil_tests.bench.cloud.fleet import PAGE_LIMIT_MS, Looking
from hil_tests.bench.cloud.load import memory_mb, percentile
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.ports import free_ports

CHARGERS = 2000
KNOCKING = 200  # handshakes at the same moment; the other chargers' SYN is on its way, as over GPRS
SECONDS = 15.0  # after all are back; each charger sends a frame every EVERY_S
EVERY_S = 15.0
BACK_WITHIN_S = 120.0
BOOT = [2, "b", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}]
STATUS = [2, "s", "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}]
EVENT = [2, "e", "FirmwareStatusNotification", {"status": "Idle"}]


class _Crowd:
    """The chargers. Counts answered frames, which must be stored."""

    def __init__(self, port: int, keys: Sequence[str]) -> None:
        self._port = port
        self._headers = [
            {"Authorization": f"Basic {b64encode(f'cp{number:05d}:{key}'.encode()).decode()}"}
            for number, key in enumerate(keys)
        ]
        self._sockets: list[ClientConnection | None] = [None] * len(keys)
        self._turns = asyncio.Semaphore(KNOCKING)
        self.answered = self.events = 0
        self.latencies_s: list[float] = []

    async def connect(self) -> float:
        """Connect all chargers, as after a network cut, and retry until each is in. Return the seconds it took."""
        began_s = time.monotonic()
        await asyncio.gather(*map(self._come_back, range(len(self._headers))))
        return time.monotonic() - began_s

    def cut(self) -> None:
        """Abort all connections at once, without a close."""
        for socket in self._sockets:
            if socket is not None:
                socket.transport.abort()

    async def pace(self, seconds: float) -> None:
        await asyncio.gather(*(self._pace(number, seconds) for number in range(len(self._headers))))

    async def _come_back(self, number: int) -> None:
        give_up_s = time.monotonic() + BACK_WITHIN_S
        while time.monotonic() < give_up_s:
            with suppress(OSError, TimeoutError, websockets.WebSocketException):
                async with self._turns:
                    self._sockets[number] = await websockets.connect(
                        f"ws://127.0.0.1:{self._port}/cp{number:05d}",
                        subprotocols=[websockets.Subprotocol("ocpp1.6")],
                        additional_headers=self._headers[number],
                        compression=None,
                        ping_interval=None,
                        proxy=None,
                    )
                for frame in (BOOT, STATUS):
                    await self._ask(number, frame)
                self.events += 1
                return
            await asyncio.sleep(0.2)
        raise TimeoutError(f"cp{number:05d} never came back")

    async def _pace(self, number: int, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        await asyncio.sleep(EVERY_S * number / len(self._headers))
        while time.monotonic() < end_s:
            began_s = time.monotonic()
            await self._ask(number, EVENT)
            self.events += 1
            self.latencies_s.append(time.monotonic() - began_s)
            await asyncio.sleep(EVERY_S)

    async def _ask(self, number: int, frame: list[Any]) -> None:
        """Send a frame and wait for its answer. Refuse CALLs of the bridge."""
        socket = self._sockets[number]
        assert socket is not None
        await socket.send(json.dumps(frame))
        while (said := json.loads(await socket.recv()))[1] != frame[1]:
            await socket.send(json.dumps([4, said[1], "NotImplemented", "", {}]))
        self.answered += 1


def ocpp_fleet() -> bool:
    """Measure answered frames that were lost, and the page's p99. Return True if the limits hold."""
    with tempfile.TemporaryDirectory() as name:
        folder, (port,) = Path(name), free_ports(1)
        cloud = CloudFixture(folder, environment={"CHARGEKEEPER_OCPP_PORT": str(port)})
        ids = folder / "ids.txt"
        ids.write_text("".join(f"cp{number:05d}\n" for number in range(CHARGERS)))
        (added,) = cloud.commands(["unit", "add", "--file", str(ids), "--ocpp"])
        keys = [str(one["secret"]) for one in cast(list[dict[str, Any]], added)]
        password = cloud.command("user", "add", NAME, "--role", "support")["password"]
        cloud.start()
        try:
            crowd, took_s, times = asyncio.run(_press(port, keys, cloud.http_port, password))
            memory = memory_mb(cloud.bridge.pid)
            heard = int(cloud.health()["counters"]["contacts"])
        finally:
            cloud.stop()
        with closing(sqlite3.connect(folder / "chargekeeper.db")) as store:
            (stored,) = store.execute("SELECT count(*) FROM events").fetchone()
    page_ms, stored_ms = percentile(times, 0.99) * 1000, percentile(crowd.latencies_s, 0.99) * 1000
    lost = max(0, crowd.answered - heard, crowd.events - stored)
    print(
        f"{CHARGERS:,} chargers: all back in {took_s:.1f} s; {crowd.answered:,} frames answered, {lost} lost; ", end=""
    )
    print(f"memory {memory:.0f} MB; load of the machine {os.getloadavg()[0]:.1f}")
    print(f"  page meanwhile ({len(times)} looks): p99 {page_ms:.0f} ms, limit {PAGE_LIMIT_MS:.0f} ms")
    print(f"  frame to its answer, after the commit: p99 {stored_ms:.0f} ms")
    return lost == 0 and page_ms <= PAGE_LIMIT_MS


async def _press(port: int, keys: Sequence[str], http_port: int, password: str) -> tuple[_Crowd, float, list[float]]:
    crowd = _Crowd(port, keys)
    await crowd.connect()
    looking = Looking(http_port, password)
    crowd.cut()
    took_s = await crowd.connect()
    await crowd.pace(SECONDS)
    times = await asyncio.to_thread(looking.stop)
    crowd.cut()
    return crowd, took_s, times
