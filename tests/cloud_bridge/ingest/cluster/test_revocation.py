"""Which connections are closed after a secret has changed, and which are not?"""

import asyncio
import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.counters import Counters
from cloud_bridge.ingest.changed_secrets import LOOK_BACK_MS
from cloud_bridge.ingest.cluster.batched_credentials import BatchedCredentials
from cloud_bridge.ingest.cluster.connz import NodeConnection, read_page, time_ms
from cloud_bridge.ingest.cluster.nodes import Found, Nodes
from cloud_bridge.ingest.cluster.revocation import (
    ASKED_AT_ONCE,
    GIVE_UP_S,
    MAX_PURSUED,
    OVER_S,
    SETTLED_S,
    Pursuit,
    Revocation,
    is_former,
)

NOW_S = 1000.0


def a_pursuit(*unit_ids: str) -> Pursuit:
    """Return a pursuit of units that were changed at NOW_S."""
    pursuit = Pursuit()
    assert pursuit.notice({"before": 5}, NOW_S - 1) == []
    assert pursuit.notice({"before": 5} | dict.fromkeys(unit_ids, 10), NOW_S) == list(unit_ids)
    return pursuit


def of_age(age_s: float) -> NodeConnection:
    return NodeConnection("N", "n1", 7, "home-1", 0, int(age_s * 1000))


def found(*connections: NodeConnection, is_complete: bool = True) -> Found:
    return Found(list(connections), is_complete)


def test_what_was_changed_before_we_looked_is_not_pursued() -> None:
    assert a_pursuit().pursued() == []


def test_a_change_is_new_once_and_a_second_one_again() -> None:
    pursuit = a_pursuit("home-1")
    assert pursuit.notice({"home-1": 10}, NOW_S + 1) == []
    assert pursuit.notice({"home-1": 11}, NOW_S + 2) == ["home-1"]
    assert pursuit.newest_ms == 11


def test_connections_of_before_end_whatever_a_clock_says_and_those_of_after_stay() -> None:
    pursuit = a_pursuit("home-1")
    before, at_once, after = of_age(30.5), of_age(30 - SETTLED_S), of_age(30 - SETTLED_S - 0.1)
    assert pursuit.to_end("home-1", found(before, at_once, after), NOW_S + 30) == [before, at_once]


def test_it_is_pursued_until_every_node_has_said_that_there_is_none() -> None:
    pursuit = a_pursuit("home-1")
    assert pursuit.to_end("home-1", found(), NOW_S + OVER_S - 1) == []  # a login with the old secret may be in progress
    assert pursuit.to_end("home-1", found(is_complete=False), NOW_S + OVER_S + 1) == []
    lost = of_age(OVER_S + 10)
    assert pursuit.to_end("home-1", found(lost), NOW_S + OVER_S + 2) == [lost]  # the request to close it was lost
    assert pursuit.pursued() == ["home-1"]
    assert pursuit.to_end("home-1", found(of_age(1)), NOW_S + OVER_S + 3) == []
    assert pursuit.pursued() == []


def test_a_node_that_never_answers_is_given_up() -> None:
    pursuit = a_pursuit("home-1")
    pursuit.to_end("home-1", found(is_complete=False), NOW_S + GIVE_UP_S + 1)
    assert pursuit.pursued() == []


def test_too_many_at_once_are_noted() -> None:
    pursuit = a_pursuit(*(f"home-{number}" for number in range(MAX_PURSUED + 1)))
    assert len(pursuit.pursued()) == MAX_PURSUED and pursuit.has_missed


def test_by_the_clocks_only_what_began_before_the_change_ends() -> None:
    connection = of_age(1)._replace(started_ms=100)
    assert is_former(connection, 101) and is_former(connection, None)
    assert not is_former(connection, 100) and not is_former(connection, 0)


PAGE: dict[str, Any] = {
    "server": {"id": "N1", "name": "n1"},
    "data": {
        "now": "2026-11-27T00:33:12.5Z",
        "connections": [
            {"cid": 21, "type": "nats", "start": "2026-11-27T00:33:10Z"},
            {"cid": 22, "start": "2026-11-27T00:33:11.018734912Z", "mqtt_client": "home-1"},
        ],
    },
}


def test_a_page_of_a_node_is_read() -> None:
    page = read_page(json.dumps(PAGE).encode())
    assert page is not None and page.rows == 2
    started_ms = time_ms("2026-11-27T00:33:11.018Z")
    assert page.connections == [NodeConnection("N1", "n1", 22, "home-1", started_ms, 1482)]


@pytest.mark.parametrize("part", ["server", "data"])
def test_a_page_that_lacks_something_is_none(part: str) -> None:
    assert read_page(json.dumps({**PAGE, part: None}).encode()) is None


@given(some.binary(max_size=60) | some.recursive(some.integers(), some.lists).map(repr).map(str.encode))
def test_any_bytes_are_read_as_a_page_or_none(data: bytes) -> None:
    assert read_page(data) is None


class FakeNodes:
    """Each unit has one old connection. Requests and closed connections are recorded."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ended: list[tuple[str, int]] = []

    async def connections_of(self, unit_id: str) -> Found:
        self.asked.append(unit_id)
        return found(of_age(10_000))

    async def end(self, server_id: str, number: int) -> None:
        self.ended.append((server_id, number))


class FakeCredentials:
    def __init__(self) -> None:
        self.store: dict[str, int] | None = {}  # when the secret of a unit was changed; None: the store is down
        self.since_ms: list[int] = []
        self.forgotten: list[str] = []

    async def changed(self, since_ms: int) -> dict[str, int]:
        self.since_ms.append(since_ms)
        if self.store is None:
            raise SQLAlchemyError("away")
        return dict(self.store)

    async def changed_of(self, unit_ids: set[str]) -> dict[str, int]:
        return {unit_id: at_ms for unit_id, at_ms in (self.store or {}).items() if unit_id in unit_ids}

    def is_canary(self, name: str) -> bool:
        return name == "canary"

    def forget(self, unit_id: str) -> None:
        self.forgotten.append(unit_id)


def a_revocation() -> tuple[Revocation, FakeNodes, FakeCredentials, Counters]:
    nodes, credentials, counters = FakeNodes(), FakeCredentials(), Counters()
    return Revocation(cast(Nodes, nodes), cast(BatchedCredentials, credentials), counters), nodes, credentials, counters


def test_every_unit_that_was_changed_is_forgotten_asked_about_and_ended() -> None:
    revocation, nodes, credentials, counters = a_revocation()
    asyncio.run(revocation.look())
    credentials.store = {f"home-{number}": LOOK_BACK_MS + 10 for number in range(2 * ASKED_AT_ONCE + 1)}
    asyncio.run(revocation.look())
    assert credentials.forgotten == nodes.asked == list(credentials.store)
    assert nodes.ended == [("N", 7)] * len(credentials.store) and counters.closed_revoked == len(credentials.store)
    asyncio.run(revocation.look())
    assert credentials.since_ms == [1, 1, 10]
    assert len(credentials.forgotten) == len(credentials.store), "they are known"


def test_while_the_store_is_away_those_that_are_pursued_are_asked_about() -> None:
    revocation, nodes, credentials, _ = a_revocation()
    asyncio.run(revocation.look())
    credentials.store = {"home-1": 5}
    asyncio.run(revocation.look())
    credentials.store = None
    with pytest.raises(SQLAlchemyError):
        asyncio.run(revocation.look())
    assert nodes.asked == ["home-1", "home-1"]


def test_of_a_node_that_is_back_the_connections_of_before_a_change_end_and_no_canary() -> None:
    revocation, nodes, credentials, _ = a_revocation()
    credentials.store = {"home-1": 100, "home-2": 99, "canary": 100}
    began = [
        NodeConnection("N1", "n1", number, name, 99, 1)
        for number, name in enumerate(("home-1", "home-2", "canary", "unknown"))
    ]
    asyncio.run(revocation.end_former(began))
    assert nodes.ended == [("N1", 0), ("N1", 3)]
