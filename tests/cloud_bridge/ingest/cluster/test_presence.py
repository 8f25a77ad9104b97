"""Does the store get the right connections, in whatever order events come, and whatever is lost?"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cloud_bridge.counters import Counters
from cloud_bridge.ingest.cluster import presence
from cloud_bridge.ingest.cluster.connz import NodeConnection, Page, time_ms
from cloud_bridge.ingest.cluster.nodes import Found
from cloud_bridge.ingest.cluster.presence import LOST_AFTER_S, PresenceWriter
from cloud_bridge.ingest.cluster.presence_event import read_event
from cloud_bridge.store.database import open_database
from cloud_bridge.store.presence import Presence, presence_of
from cloud_bridge.store.units import add_unit

NOW_MS = time_ms("2026-11-27T00:33:00Z")


def event(kind: str, unit_id: str, at: str, node: str = "n1", **more: Any) -> tuple[str, bytes]:
    """Return subject and data. `at` is seconds with fractions."""
    said = {
        "timestamp": f"2026-11-27T00:33:{at}Z",
        "server": {"name": node},
        "client": {"client_id": unit_id, "client_type": "mqtt"},
    }
    return f"$SYS.ACCOUNT.UNITS.{kind}", json.dumps(said | more).encode()


class Cluster:
    """One writer, with clocks and nodes that the test controls."""

    def __init__(self, folder: Path) -> None:
        self.database = open_database(folder)
        self.counters = Counters()
        self.now_s = 0.0
        self.nodes = Mock(ids=AsyncMock(return_value={}), connections_of=AsyncMock(return_value=Found([], True)))
        clock = Mock(now_ms=lambda: NOW_MS + int(self.now_s * 1000))
        self.writer = PresenceWriter(self.nodes, ("n1", "n2"), self.database, clock, self.counters)
        self.writer._now_s = lambda: self.now_s
        self.writer._heard_s = dict.fromkeys(("n1", "n2"), 0.0)
        with self.database.writing() as connection:
            for name in ("home-1", "home-2"):
                add_unit(connection, name, 0)

    def tell(self, *events: tuple[str, bytes]) -> None:
        async def act() -> None:
            for subject, data in events:
                await self.writer._told(Mock(subject=subject, data=data))
            await self.writer.write()

        asyncio.run(act())

    def look(self, *answering: str) -> None:
        """Let the writer look while these nodes answer."""
        self.nodes.ids.return_value = {f"id of {name}": name for name in answering}
        asyncio.run(self.writer.look())

    def census(self, node: str, *unit_ids: str, at_s: float = 30) -> None:
        async def act() -> None:
            at_ms = NOW_MS + int(at_s * 1000)
            found = [NodeConnection("N", node, number, name, 0, 0) for number, name in enumerate(unit_ids)]
            there = await self.writer.compare(Page("N", node, at_ms, len(found), found))
            await self.writer.compare_absent(node, there, at_ms)
            await self.writer.write()

        asyncio.run(act())

    def connected(self) -> dict[str, str]:
        """Return the door of each connected unit."""
        with self.database.reading() as connection:
            rows = presence_of(connection, ["home-1", "home-2"])
        return {name: row.door for name, row in rows.items() if row.connected}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.database.close()


def test_units_come_and_go(cluster: Cluster) -> None:
    cluster.tell(event("CONNECT", "home-1", "01"), event("CONNECT", "home-2", "02", "n2"))
    assert cluster.connected() == {"home-1": "n1", "home-2": "n2"}
    cluster.tell(event("DISCONNECT", "home-1", "03", reason="Client Closed"))
    assert cluster.connected() == {"home-2": "n2"}


def test_an_older_event_changes_nothing(cluster: Cluster) -> None:
    cluster.tell(event("CONNECT", "home-1", "05"))
    cluster.tell(event("DISCONNECT", "home-1", "04"))
    cluster.tell(event("CONNECT", "home-2", "05"), event("DISCONNECT", "home-2", "04"))
    assert cluster.connected() == {"home-1": "n1", "home-2": "n1"}


def test_who_is_taken_over_by_itself_is_there(cluster: Cluster) -> None:
    """The end of the older connection is reported after the beginning of the newer one."""
    cluster.tell(event("CONNECT", "home-1", "01"), event("CONNECT", "home-1", "02", "n2"))
    cluster.tell(event("DISCONNECT", "home-1", "02.5", "n1", reason="Duplicate Client ID"))
    assert cluster.connected() == {"home-1": "n2"}


def test_our_own_clients_and_strangers_are_no_units(cluster: Cluster) -> None:
    cluster.tell(event("CONNECT", "_canary-n1", "01"), event("CONNECT", "gone-meanwhile", "01"))
    assert cluster.connected() == {}


def test_a_node_that_does_not_answer_is_a_door_with_nobody_behind_it(cluster: Cluster) -> None:
    cluster.tell(event("CONNECT", "home-1", "01"), event("CONNECT", "home-2", "01", "n2"))
    cluster.now_s = LOST_AFTER_S
    cluster.look("n2")
    assert cluster.connected() == {"home-1": "n1", "home-2": "n2"}
    cluster.now_s += 1
    cluster.look("n2")
    assert cluster.connected() == {"home-2": "n2"}
    cluster.census("n1", "home-1", at_s=40)
    assert cluster.connected() == {"home-1": "n1", "home-2": "n2"}


def test_when_no_node_answers_it_is_our_own_way_that_is_lost(cluster: Cluster) -> None:
    cluster.tell(event("CONNECT", "home-1", "01"))
    cluster.now_s = LOST_AFTER_S + 1
    cluster.look()
    assert cluster.connected() == {"home-1": "n1"}


def test_what_no_event_has_told_the_census_finds(cluster: Cluster) -> None:
    cluster.tell(event("CONNECT", "home-1", "01"))
    cluster.census("n1", "home-2", at_s=30)
    assert cluster.connected() == {"home-2": "n1"}
    cluster.tell(event("CONNECT", "home-1", "29"))  # older than the result of the census
    assert cluster.connected() == {"home-2": "n1"}


def test_a_unit_that_a_page_has_missed_is_asked_for(cluster: Cluster) -> None:
    cluster.tell(event("CONNECT", "home-1", "01"))
    there = NodeConnection("N", "n1", 7, "home-1", 0, 0)
    cluster.nodes.connections_of.return_value = Found([there], False)
    cluster.census("n1")
    assert cluster.connected() == {"home-1": "n1"}


def test_too_many_are_counted(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "MAX_WAITING", 1)
    cluster.tell(event("CONNECT", "home-1", "01"), event("CONNECT", "home-2", "01"))
    assert cluster.counters.dropped_presence == 1 and cluster.connected() == {"home-1": "n1"}


@given(
    some.sampled_from(["CONNECT", "DISCONNECT", "x", ""]),
    some.binary(max_size=60) | some.text().map(json.dumps).map(str.encode),
)
def test_any_bytes_are_read_as_nothing(kind: str, data: bytes) -> None:
    assert read_event(f"$SYS.ACCOUNT.UNITS.{kind}", data) is None


def test_an_event_is_read() -> None:
    row = read_event(*event("CONNECT", "home-1", "11.021055463"))
    assert row == Presence("home-1", True, "n1", NOW_MS + 11_021)
