"""Is a command only sent to a connected unit, and never after it expires?"""

import asyncio
import json
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.errors import APIError

from cloud_bridge.counters import Counters
from cloud_bridge.ingest.cluster.commands_out import NO_TIME_TO_LIVE, CommandsOut
from cloud_bridge.ingest.cluster.connz import NodeConnection
from cloud_bridge.ingest.cluster.nodes import Found
from cloud_bridge.ingest.cluster.ocpp_link import NOT_TAKEN, TAKEN
from cloud_bridge.store.commands import ANSWER_MS

NOW_MS = 1_800_000_000_000
NO_DOOR = NoRespondersError()
DISABLED = APIError(code=400, err_code=NO_TIME_TO_LIVE, description="per-message ttl is disabled")


class Cluster:
    """A cluster with these units connected, and a stream that confirms or raises as set.

    `doors` is the answer of an OCPP door to a command, or the exception if none answers.
    """

    def __init__(self, *connected: str, doors: bytes | Exception = NO_DOOR) -> None:
        self.counters = Counters()
        self.publish = AsyncMock()
        self.requests: list[tuple[str, Any]] = []
        self._doors = doors
        self._connected = connected
        client = Mock(jetstream=Mock(return_value=Mock(publish=self.publish)), request=self._request)
        nodes = Mock(connections_of=self._connections_of)
        self._out = CommandsOut(client, nodes, Mock(now_ms=lambda: NOW_MS), self.counters)

    def send(self, unit_id: str, lasts_ms: int = ANSWER_MS) -> bool:
        return asyncio.run(self._out.send(unit_id, b"{}", NOW_MS + lasts_ms))

    def headers(self) -> dict[str, str]:
        (call,) = self.publish.await_args_list
        sent: dict[str, str] = call.kwargs["headers"]
        return sent

    async def _connections_of(self, unit_id: str, is_first_enough: bool) -> Found:
        assert is_first_enough
        there = [NodeConnection("N", "n1", 7, unit_id, 0, 0)] if unit_id in self._connected else []
        return Found(there, not there)

    async def _request(self, subject: str, body: bytes, **_: float) -> Any:
        if subject.startswith("ocpp."):
            if isinstance(self._doors, Exception):
                raise self._doors
            return Mock(data=self._doors)
        self.requests.append((subject, json.loads(body or b"{}")))
        return Mock(data=json.dumps({"config": {"name": "$MQTT_msgs", "kept": 1}}).encode())


def test_a_unit_that_is_away_is_sent_nothing() -> None:
    cluster = Cluster("home-2")
    assert not cluster.send("home-1")
    assert not cluster.send("home-1.>")
    cluster.publish.assert_not_awaited()


def test_a_unit_that_is_there_is_sent_it_with_qos_1() -> None:
    cluster = Cluster("home-1")
    assert cluster.send("home-1")
    (call,) = cluster.publish.await_args_list
    assert call.args == ("$MQTT.msgs.cp.home-1.command", b"{}")
    assert cluster.headers() == {"Nmqtt-Pub": "1", "Nats-TTL": "60s"}


@pytest.mark.parametrize(("lasts_ms", "lives"), [(1999, "1s"), (2000, "2s"), (ANSWER_MS * 100, "60s")])
def test_it_lives_no_longer_than_its_end_and_than_we_wait_for_an_answer(lasts_ms: int, lives: str) -> None:
    cluster = Cluster("home-1")
    assert cluster.send("home-1", lasts_ms)
    assert cluster.headers()["Nats-TTL"] == lives


@pytest.mark.parametrize("lasts_ms", [999, 0, -1000])
def test_what_is_over_is_not_sent(lasts_ms: int) -> None:
    assert not Cluster("home-1").send("home-1", lasts_ms)


def test_a_stream_that_does_not_allow_a_time_to_live_is_told_to_once() -> None:
    cluster = Cluster("home-1")
    cluster.publish.side_effect = [DISABLED, None]
    assert cluster.send("home-1")
    update = {"name": "$MQTT_msgs", "kept": 1, "allow_msg_ttl": True}
    assert cluster.requests == [("$JS.API.STREAM.INFO.$MQTT_msgs", {}), ("$JS.API.STREAM.UPDATE.$MQTT_msgs", update)]
    cluster.publish.side_effect = [DISABLED, DISABLED]
    assert not cluster.send("home-1") and cluster.counters.failed_commands == 1


@pytest.mark.parametrize("error", [NatsTimeout(), APIError(code=503), OSError("lost")], ids=repr)
def test_what_the_cluster_has_not_confirmed_is_not_sent(error: Exception) -> None:
    cluster = Cluster("home-1")
    cluster.publish.side_effect = error
    assert not cluster.send("home-1") and cluster.counters.failed_commands == 1


@pytest.mark.parametrize(("answer", "is_sent"), [(TAKEN, True), (NOT_TAKEN, False), (b"", False)])
def test_a_charger_of_ocpp_is_asked_at_its_door_alone(answer: bytes, is_sent: bool) -> None:
    cluster = Cluster("home-1", doors=answer)
    assert cluster.send("home-1") is is_sent
    cluster.publish.assert_not_awaited()


def test_a_door_that_does_not_answer_has_not_taken_it() -> None:
    cluster = Cluster(doors=NatsTimeout())
    assert not cluster.send("home-1") and cluster.counters.failed_commands == 1
