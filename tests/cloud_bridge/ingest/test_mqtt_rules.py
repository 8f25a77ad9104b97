"""Which message of an outside broker counts, which is acknowledged, and what is published back? Without any broker."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from cloud_bridge.counters import Counters
from cloud_bridge.ingest import mqtt
from cloud_bridge.ingest.canary import BrokerAddress
from cloud_bridge.ingest.mqtt import IN_FLIGHT, KEEPALIVE_S, KEPT_S, RENEW_EVERY_S, MqttIngest
from cloud_bridge.ingest.shard import Shard
from cloud_bridge.ingest.unit_registry import UnitStatus
from cloud_bridge.store.commands import ANSWER_MS

NOW_MS = 1_767_225_600_000
ADDRESS = BrokerAddress("broker.example", 1883, "secret")
OK, FAILED = SimpleNamespace(is_failure=False, value=0), SimpleNamespace(is_failure=True, value=135)


class Client:
    """Of paho; `done` is what was asked of it."""

    def __init__(self, version: MQTTProtocolVersion) -> None:
        self.protocol = version
        self.done: list[Any] = []
        self.is_up = self.has_socket = self.is_sent = True
        self.rc = 0
        self.fails: Exception | None = None
        self.batched = SimpleNamespace(
            acknowledge=lambda number: self.done.append(("acknowledged", number)),
            shut_down=lambda: self.done.append("shut down"),
        )

    def is_connected(self) -> bool:
        return self.is_up

    def socket(self) -> Any:
        return self if self.has_socket else None

    def publish(self, topic: str, payload: Any, qos: int = 0, retain: bool = False, properties: Any = None) -> Any:
        if self.fails:
            raise self.fails
        expires = getattr(properties, "MessageExpiryInterval", None)
        self.done.append((topic, payload, qos, retain, expires))
        return SimpleNamespace(mid=7, rc=self.rc, wait_for_publish=self.done.append, is_published=lambda: self.is_sent)

    def subscribe(self, topics: Any) -> None:
        self.done.append(topics)

    def disconnect(self) -> None:
        self.done.append("disconnected")

    def connect_async(self, host: str, port: int, keepalive_s: int, **options: Any) -> None:
        properties = options.pop("properties", None)
        kept = None if properties is None else (properties.SessionExpiryInterval, properties.ReceiveMaximum)
        self.done.append((host, port, keepalive_s, options, kept))

    def loop_start(self) -> None:
        self.done.append("runs")


class Around:
    """What it asks and tells, all in one."""

    def __init__(self) -> None:
        self.counters, self.clock, self.shard = Counters(), self, Shard(1, 1)
        self.status_of: UnitStatus | None = UnitStatus.ACTIVE
        self.admitted = self.takes = True
        self.fails = False
        self.told: list[Any] = []

    def now_ms(self) -> int:
        return NOW_MS

    def status(self, _unit_id: str) -> UnitStatus | None:
        if self.fails:
            raise KeyError("ours")
        return self.status_of

    def admits(self, _unit_id: str, _now_ms: int) -> bool:
        return self.admitted

    def saw(self, unit_id: str, at_ms: int) -> None:
        self.told.append(("stranger", unit_id, at_ms))

    def take(self, unit_id: str, kind: str, payload: bytes, at_ms: int, again: bool, committed: Any) -> bool:
        self.told.append(("live", unit_id, kind, payload, at_ms, again))
        if self.takes:
            committed()
        return self.takes

    def take_late(self, unit_id: str, kind: str, payload: bytes, at_ms: int, committed: Any) -> bool:
        self.told.append(("late", unit_id, kind, payload, at_ms))
        if self.takes:
            committed()
        return self.takes

    def take_canary(self, at_ms: int, committed: Any) -> bool:
        self.told.append(("canary", at_ms))
        committed()
        return True

    def device(self, unit_id: str) -> list[tuple[str, bytes]]:
        return [("device", unit_id.encode())]


class Loop(asyncio.SelectorEventLoop):
    """Time passes by hand."""

    now_s = 1000.0

    def time(self) -> float:
        return self.now_s

    def call_soon_threadsafe(self, call: Any, *arguments: Any, context: Any = None) -> Any:  # type: ignore[override]  # at once
        call(*arguments)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    running = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: running)
    monkeypatch.setattr(MqttIngest, "_make", lambda _self, version: Client(version))
    yield running
    monkeypatch.undo()
    running.close()


@pytest.fixture
def around() -> Around:
    return Around()


@pytest.fixture
def ingest(loop: Loop, around: Any) -> Iterator[Any]:
    made: Any = MqttIngest(ADDRESS, around, around, around)
    made.live.set()
    yield made
    made._reader.shutdown()


def hear(
    ingest: Any,
    topic: str = "cp/cp-1/heartbeat",
    payload: bytes = b"{}",
    qos: int = 1,
    dup: bool = False,
    retain: bool = False,
) -> list[Any]:
    """What becomes of a message: what is asked of the client."""
    ingest._client.done.clear()
    message = SimpleNamespace(topic=topic, payload=payload, qos=qos, dup=dup, retain=retain, mid=7)
    ingest._on_message(None, None, message)
    done: list[Any] = ingest._client.done
    return done


ACKNOWLEDGED = [("acknowledged", 7)]


# Whose message counts


def test_a_live_message_of_a_unit_is_taken_in_and_acknowledged_when_it_is_stored(ingest: Any, around: Around) -> None:
    assert hear(ingest) == ACKNOWLEDGED
    assert around.told == [("live", "cp-1", "heartbeat", b"{}", NOW_MS, False)] and not ingest._renewal_due
    around.takes = False
    assert hear(ingest) == [] and ingest._renewal_due


@pytest.mark.parametrize(("is_live", "dup"), [(False, False), (True, True), (False, True)])
def test_what_was_kept_or_comes_again_is_late(ingest: Any, around: Around, is_live: bool, dup: bool) -> None:
    if not is_live:
        ingest.live.clear()
    assert hear(ingest, dup=dup) == ACKNOWLEDGED
    assert around.told == [("late", "cp-1", "heartbeat", b"{}", NOW_MS)] and not ingest._renewal_due
    around.takes = False
    assert hear(ingest, dup=dup) == [] and ingest._renewal_due


def test_with_qos_0_nothing_is_acknowledged(ingest: Any, around: Around) -> None:
    assert hear(ingest, qos=0) == [] and len(around.told) == 1


@pytest.mark.parametrize(
    ("status", "message", "counter"),
    [
        (UnitStatus.UNKNOWN, {}, "quarantined"),
        (UnitStatus.REVOKED, {}, "dropped_revoked"),
        (UnitStatus.ACTIVE, {"payload": b""}, "dropped_empty"),
        (UnitStatus.REVOKED, {"payload": b""}, "dropped_empty"),
        (UnitStatus.UNKNOWN, {"retain": True}, "quarantined"),
    ],
)
def test_what_is_of_no_unit_or_says_nothing_is_counted_and_acknowledged(
    ingest: Any, around: Around, status: UnitStatus, message: dict[str, Any], counter: str
) -> None:
    around.status_of = status
    assert hear(ingest, **message) == ACKNOWLEDGED
    assert getattr(around.counters, counter) == 1
    strangers = [("stranger", "cp-1", NOW_MS)] if status is UnitStatus.UNKNOWN else []
    assert around.told == strangers


def test_one_that_sends_too_much_holds_back_nobody(ingest: Any, around: Around) -> None:
    around.admitted = False
    assert hear(ingest) == ACKNOWLEDGED and around.told == []


def test_a_retained_message_is_cleared_once_on_each_connection(ingest: Any, around: Around) -> None:
    clearing = ("cp/cp-1/heartbeat", b"", 1, True, None)
    assert hear(ingest, retain=True) == [clearing, *ACKNOWLEDGED]
    assert hear(ingest, retain=True) == ACKNOWLEDGED
    assert (around.counters.dropped_retained, around.counters.cleared_retained, around.told) == (2, 1, [])
    ingest._on_connect(ingest._client, None, None, OK, None)
    assert hear(ingest, retain=True) == [clearing, *ACKNOWLEDGED]


@pytest.mark.parametrize(
    ("is_live", "retain", "is_taken"), [(True, False, False), (False, True, False), (False, False, True)]
)
def test_a_unit_of_another_shard_is_its_business_but_for_what_was_kept(
    ingest: Any, around: Around, is_live: bool, retain: bool, is_taken: bool
) -> None:
    ingest._shard = next(one for one in (Shard(1, 2), Shard(2, 2)) if not one.takes("cp-1"))
    if not is_live:
        ingest.live.clear()
    assert hear(ingest, retain=retain)[-1:] == ACKNOWLEDGED
    assert bool(around.told) is is_taken


def test_an_error_of_ours_leaves_a_message_to_come_again(ingest: Any, around: Around) -> None:
    around.fails = True
    assert hear(ingest) == [] and around.counters.failed_messages == 1 and ingest._renewal_due


# Messages of unknown ids


def test_an_id_that_is_not_known_waits_for_the_list(
    ingest: Any, around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "PENDING", 2)
    around.status_of = None
    assert hear(ingest) == [] and ingest._lookup_due.is_set()
    ingest._lookup_due.clear()
    assert hear(ingest) == [] and not ingest._lookup_due.is_set(), "the list is asked for already"
    assert not ingest._renewal_due and around.counters.dropped_pending == 0
    assert hear(ingest) == [] and len(ingest._pending) == 2
    assert ingest._renewal_due and around.counters.dropped_pending == 1


def test_who_is_not_in_a_list_that_was_asked_for_later_is_no_unit(ingest: Any, around: Around) -> None:
    around.status_of = None
    for _ in range(3):
        hear(ingest)
    ingest._client.done.clear()
    ingest._lookup_due.clear()
    ingest._settle_pending(2)
    assert ingest._client.done == ACKNOWLEDGED * 2 and around.counters.quarantined == 2
    assert len(ingest._pending) == 1 and ingest._lookup_due.is_set()
    around.status_of = UnitStatus.ACTIVE
    ingest._lookup_due.clear()
    ingest._settle_pending(0)
    assert ingest._client.done == ACKNOWLEDGED * 3 and ingest._pending == [] and not ingest._lookup_due.is_set()


def test_one_that_cannot_be_settled_keeps_out_no_other(ingest: Any, around: Any) -> None:
    around.status_of = None
    hear(ingest)
    hear(ingest)
    around.status_of = UnitStatus.ACTIVE
    take, fails = around.take, [True]

    def once(*arguments: Any) -> Any:
        if fails:
            fails.pop()
            raise KeyError("ours")
        return take(*arguments)

    around.take = once
    ingest._client.done.clear()
    ingest._settle_pending(2)
    assert ingest._client.done == ACKNOWLEDGED and around.counters.failed_messages == 1


def test_the_connection_is_renewed_for_what_has_to_come_again_once_a_minute(ingest: Any, loop: Loop) -> None:
    ingest._renew_if_due()
    assert ingest._client.done == []
    for passed_s, is_renewed in ((0.0, True), (RENEW_EVERY_S - 1, False), (1.0, True)):
        loop.now_s += passed_s
        ingest._client.done.clear()
        ingest._renewal_due = True
        ingest._renew_if_due()
        assert (ingest._client.done == ["shut down"]) is is_renewed and ingest._renewal_due is not is_renewed


# Messages of our own


def test_our_marker_makes_it_live_and_is_a_canary(ingest: Any, around: Around) -> None:
    ingest._on_disconnect(None, None, None, FAILED, None)
    assert not ingest.live.is_set()
    ingest._on_subscribe(ingest._client, None, 1, [OK, OK], None)
    [(topic, marker, qos, retain, _)] = ingest._client.done
    assert (topic, qos, retain) == ("cp/_bridge-1/heartbeat", 1, False) and len(marker) > 10
    assert hear(ingest, topic, b"another") == ACKNOWLEDGED and not ingest.live.is_set()
    assert hear(ingest, "cp/_canary-1/heartbeat", marker) == ACKNOWLEDGED and not ingest.live.is_set()
    assert hear(ingest, topic, marker, retain=True) == ACKNOWLEDGED and not ingest.live.is_set()
    assert around.told == [] and around.counters.dropped_retained == 1
    assert hear(ingest, topic, marker) == ACKNOWLEDGED and ingest.live.is_set()
    assert around.told == [("canary", NOW_MS)]


def test_a_canary_counts_while_it_is_live_and_another_s_does_not(ingest: Any, around: Around) -> None:
    assert hear(ingest, "cp/_canary-1/heartbeat") == ACKNOWLEDGED and around.told == [("canary", NOW_MS)]
    for topic in ("cp/_canary-2/heartbeat", "cp/_bridge-2/heartbeat"):
        assert hear(ingest, topic) == ACKNOWLEDGED
    ingest.live.clear()
    assert hear(ingest, "cp/_canary-1/heartbeat") == ACKNOWLEDGED and len(around.told) == 1


# The connection


def test_mqtt_5_keeps_a_day_for_us_and_no_more_on_its_way_than_we_can_take(ingest: Any) -> None:
    ingest._connect()
    assert ingest._client.done == [
        ("broker.example", 1883, KEEPALIVE_S, {"clean_start": False}, (KEPT_S, IN_FLIGHT)),
        "runs",
    ]


@pytest.mark.parametrize(("value", "version"), [(132, MQTTProtocolVersion.MQTTv311), (135, MQTTProtocolVersion.MQTTv5)])
def test_a_broker_that_does_not_know_mqtt_5_is_spoken_to_in_3_1_1(ingest: Any, value: int, version: Any) -> None:
    first = ingest._client
    ingest._on_connect(first, None, None, SimpleNamespace(is_failure=True, value=value), None)
    assert ingest._client.protocol == version
    is_other = version is MQTTProtocolVersion.MQTTv311
    assert first.done == (["disconnected"] if is_other else [])
    if is_other:
        assert ingest._client.done == [("broker.example", 1883, KEEPALIVE_S, {}, None), "runs"]
        ingest._on_connect(ingest._client, None, None, SimpleNamespace(is_failure=True, value=132), None)
        assert ingest._client.done[2:] == [], "it has no other to try"


def test_all_kinds_of_messages_are_subscribed_to_with_qos_1(ingest: Any) -> None:
    ingest._on_connect(ingest._client, None, None, OK, None)
    kinds = ("ask", "event", "heartbeat", "result", "session")
    assert ingest._client.done == [[(f"cp/+/{kind}", 1) for kind in kinds]]


def test_a_subscription_that_is_refused_has_no_marker(ingest: Any) -> None:
    ingest._on_subscribe(ingest._client, None, 1, [OK, FAILED], None)
    assert ingest._client.done == []


def test_an_error_on_paho_s_thread_is_counted_and_the_end_of_what_is_live(ingest: Any, around: Around) -> None:
    ingest._on_thread_error(KeyError("ours"))
    assert not ingest.live.is_set() and around.counters.failed_connections == 1


# What we publish


def test_a_command_is_taken_by_the_broker_or_not_sent(ingest: Any, around: Around) -> None:
    client = ingest._client
    assert ingest._publish_command("cp-1", b"{}") is True
    assert client.done == [("cp/cp-1/command", b"{}", 1, False, ANSWER_MS // 1000), mqtt.COMMAND_WITHIN_S]
    ingest._on_publish(None, None, 7, FAILED, None)
    assert ingest._publish_command("cp-1", b"{}") is False and around.counters.refused_publishes == 1
    ingest._on_publish(None, None, 7, OK, None)
    assert ingest._publish_command("cp-1", b"{}") is True and around.counters.refused_publishes == 1
    client.is_sent = False
    assert ingest._publish_command("cp-1", b"{}") is False
    client.is_sent, client.fails = True, ValueError("not connected")
    assert ingest._publish_command("cp-1", b"{}") is False


@pytest.mark.parametrize(("is_up", "has_socket"), [(False, True), (True, False)])
def test_without_a_connection_nothing_is_published(ingest: Any, is_up: bool, has_socket: bool) -> None:
    ingest._client.is_up, ingest._client.has_socket = is_up, has_socket
    assert not ingest._publish_command("cp-1", b"{}") and not ingest._publish_pieces("cp/cp-1/piece", [b"x"])
    assert ingest._client.done == []


def test_a_command_in_3_1_1_has_no_end(ingest: Any) -> None:
    ingest._client.protocol = MQTTProtocolVersion.MQTTv311
    assert ingest._publish_command("cp-1", b"{}")
    assert ingest._client.done[0] == ("cp/cp-1/command", b"{}", 1, False, None)


def test_pieces_are_published_with_qos_0_until_one_is_not_taken(ingest: Any) -> None:
    assert ingest._publish_pieces("cp/cp-1/piece", [b"x", b"y"]) is True
    assert [one[:3] for one in ingest._client.done] == [("cp/cp-1/piece", b"x", 0), ("cp/cp-1/piece", b"y", 0)]
    ingest._client.rc = 4
    assert ingest._publish_pieces("cp/cp-1/piece", [b"x", b"y"]) is False and len(ingest._client.done) == 3


def test_home_assistant_is_told_of_a_unit_once_and_of_each_contact(ingest: Any, around: Around) -> None:
    ingest._discovery = around
    first, second = list(hear(ingest)), list(hear(ingest))
    assert first[:2] == [*ACKNOWLEDGED, ("device", b"cp-1", 1, True, None)] and len(first) == 3
    assert second[:1] == ACKNOWLEDGED and len(second) == 2 and second[1] == first[2]


def test_its_names_and_its_canary_are_those_of_its_shard(ingest: Any) -> None:
    assert ingest.canary()._name == "_canary-1" and (ingest.trouble, ingest.connections) == (None, 0)
