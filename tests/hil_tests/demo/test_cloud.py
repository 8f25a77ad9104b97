"""Is a cloud side that ends restarted, a sensible number of times, and is its state reported correctly?"""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hil_tests.demo.cloud import RESTARTS_ALLOWED, RUNNING, STOPPED, Cloud
from hil_tests.demo.installation import Installation
from hil_tests.fixtures.bridge_process import BridgeFailed


class StubBridge:
    """A process that ends when told to, and does not start if it is `broken`."""

    address = "http://127.0.0.1:1"

    def __init__(self, folder: Path) -> None:
        self.log = folder / "bridge.log"
        self.environment: dict[str, str] = {}
        self.starts, self.broken = 0, False
        self._end = asyncio.Event()

    @property
    def running(self) -> bool:
        return self.starts > 0 and not self._end.is_set()

    async def start(self) -> None:
        if self.broken:
            raise BridgeFailed("no space left")
        self.starts += 1
        self._end = asyncio.Event()

    async def ended(self) -> str:
        await self._end.wait()
        return "exit code -9: its last line"

    async def stop(self) -> None:
        self._end.set()

    def die(self) -> None:
        self._end.set()


Story = Callable[[Cloud, StubBridge], Any]


def told(folder: Path, story: Story) -> list[str]:
    """Run the story beside `watch`; return the alarms."""
    alarms: list[str] = []

    async def run() -> None:
        bridge = StubBridge(folder)
        cloud = Cloud(bridge, Installation(folder), alarms.append)  # type: ignore[arg-type]  # a stub of the process
        await cloud.start()
        watching = asyncio.create_task(cloud.watch())
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(10):
                await story(cloud, bridge)
        finally:
            watching.cancel()

    asyncio.run(run())
    return alarms


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks run; `told` has the deadline."""
    while not condition():  # noqa: ASYNC110  the conditions are of others, who set no event
        await asyncio.sleep(0)


def test_one_that_ends_is_started_again_and_both_is_told(tmp_path: Path) -> None:
    async def story(cloud: Cloud, bridge: StubBridge) -> None:
        bridge.die()
        await until(lambda: bridge.starts == 2 and cloud.view()["state"] == RUNNING)

    stopped, runs = told(tmp_path, story)
    assert "exit code -9: its last line" in stopped and "runs again" in runs


def test_one_that_ends_too_often_stays_off_and_says_why(tmp_path: Path) -> None:
    async def story(cloud: Cloud, bridge: StubBridge) -> None:
        for starts in range(1, RESTARTS_ALLOWED + 2):
            await until(lambda: bridge.running and bridge.starts == starts)  # noqa: B023  it is over within this turn
            bridge.die()
        await until(lambda: cloud.view()["state"] == STOPPED)
        assert bridge.starts == RESTARTS_ALLOWED + 1
        assert "ended 6 times in 60 s" in cloud.view()["trouble"]
        with pytest.raises(BridgeFailed, match="does not run"):
            await cloud.skip(31)

    assert "Ctrl-C" in told(tmp_path, story)[-1]


def test_one_that_does_not_start_again_says_why(tmp_path: Path) -> None:
    async def story(cloud: Cloud, bridge: StubBridge) -> None:
        bridge.broken = True
        bridge.die()
        await until(lambda: cloud.view()["trouble"] == "no space left")

    assert "no space left" in told(tmp_path, story)[-1]


def test_skipped_time_is_no_end(tmp_path: Path) -> None:
    """Nobody is alarmed, and what was stored is older?"""
    with closing(sqlite3.connect(tmp_path / "chargekeeper.db")) as store, store:
        store.executescript(
            "CREATE TABLE contacts (last_contact_ms, listened_ms, latest_ms); CREATE TABLE heartbeats (received_ms);"
            "CREATE TABLE contact_gaps (from_ms PRIMARY KEY, to_ms); CREATE TABLE signal (chunk, received_ms PRIMARY KEY);"
            "CREATE TABLE signal_5min (chunk, from_ms PRIMARY KEY); CREATE TABLE ownerships (from_ms);"
            "CREATE TABLE units (owned_from_ms); CREATE TABLE rolled_up (until_ms); CREATE TABLE vehicles (seen_ms);"
            "CREATE TABLE ready_plans (unit_id, ready_ms, begin_ms, set_ms, hours_ms, judged_ms, watched);"
            "INSERT INTO rolled_up VALUES (9000000); INSERT INTO contacts VALUES (9000000, 9000000, 9000000);"
            "INSERT INTO signal VALUES (1, 7140000), (2, 9000000); INSERT INTO signal_5min VALUES (0, 7200000), (0, 9000000)"
        )

    async def story(cloud: Cloud, bridge: StubBridge) -> None:
        await cloud.skip(31)
        assert bridge.starts == 2
        assert cloud.view()["skipped_minutes"] == 31
        for _ in range(10):
            await asyncio.sleep(0)

    assert told(tmp_path, story) == []
    with closing(sqlite3.connect(tmp_path / "chargekeeper.db")) as store:
        assert store.execute("SELECT * FROM contacts").fetchall() == [(7_140_000, 7_140_000, 7_140_000)]
        assert store.execute("SELECT * FROM signal ORDER BY 1").fetchall() == [(1, 5_280_000), (1, 7_140_000)]
        assert store.execute("SELECT * FROM signal_5min ORDER BY 2").fetchall() == [(0, 5_400_000), (0, 7_200_000)]
        assert store.execute("SELECT * FROM rolled_up").fetchall() == [(7_140_000,)]
