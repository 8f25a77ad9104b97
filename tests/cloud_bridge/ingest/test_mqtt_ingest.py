"""With an external broker: whose messages count, is nothing lost that was acknowledged, and does no error end receiving?"""

import asyncio
import errno
import json
import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.enums import MQTTErrorCode
from sqlalchemy import event, exc, func, select

from cloud_bridge.app_state import AppState
from cloud_bridge.ingest import mqtt, packets
from cloud_bridge.ingest.batched_paho import BatchedClient
from cloud_bridge.ingest.mqtt import MqttIngest
from cloud_bridge.ingest.packets import Publish
from cloud_bridge.ingest.quotas import Quotas
from cloud_bridge.ingest.unit_registry import RegistryUpdate
from cloud_bridge.store import recorder
from cloud_bridge.store.tables import events
from cloud_bridge.store.units import change_secret, revoke
from cloud_bridge.store.unknown_clients import read_unknown_clients
from tests.cloud_bridge.outside_broker import OutsideBridge, outside_bridge
from tests.cloud_bridge.running import DEADLINE_S, START_MS

HEARTBEAT = b'{"n":1,"b":1,"s":"A1"}'
DATABASE_ERRORS: list[BaseException] = [
    exc.StatementError("injected", "SELECT", {}, Exception("injected")),
    *(
        kind("SELECT", {}, Exception("injected"))
        for kind in (
            exc.DBAPIError,
            exc.InterfaceError,
            exc.DatabaseError,
            exc.DataError,
            exc.OperationalError,
            exc.IntegrityError,
            exc.InternalError,
            exc.ProgrammingError,
            exc.NotSupportedError,
        )
    ),
    *(
        kind("injected")
        for kind in (
            exc.TimeoutError,  # the pool had no free connection
            exc.InvalidRequestError,
            exc.ResourceClosedError,
            exc.PendingRollbackError,
            exc.NoResultFound,
            exc.DisconnectionError,
            exc.UnboundExecutionError,
            exc.SQLAlchemyError,
            OSError,
            RuntimeError,
            MemoryError,
            UnicodeError,
        )
    ),
]
ANY_ERRORS: list[Callable[[], BaseException]] = [
    lambda: exc.OperationalError("SELECT", {}, Exception("injected")),
    RuntimeError,
    MemoryError,
    asyncio.CancelledError,
    SystemExit,
]


@pytest.fixture(autouse=True)
def quick_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "REFRESH_EVERY_S", 0.02)
    monkeypatch.setattr(mqtt, "LOOKUP_AFTER_S", 0.001)


def a_record(number: int) -> bytes:
    return json.dumps({"n": number, "b": 1, "k": "tamper"}).encode()


def stored_events(bridge: OutsideBridge) -> int:
    with bridge.app_state.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(events)).scalar_one())


class BrokenDatabase:
    """The query of the list of units fails while `error` is set."""

    def __init__(self, bridge: OutsideBridge) -> None:
        self.error: BaseException | None = None
        event.listen(bridge.ingest._unit_registry._database._reader, "before_cursor_execute", self._before)

    def fail(self, bridge: OutsideBridge, error: BaseException) -> None:
        """Set the error; return when two reads have failed with it."""
        self.error, before = error, bridge.counter("failed_registry_reads")
        bridge.until(lambda: bridge.counter("failed_registry_reads") > before + 1, "failed")

    def _before(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self.error is not None and "secret_hash !=" in statement:
            raise self.error


def test_messages_of_a_revoked_unit_are_neither_contact_nor_stored(tmp_path: Path) -> None:
    with outside_bridge(tmp_path) as bridge:
        bridge.add_unit("home-1")
        bridge.broker.deliver("cp/home-1/event", a_record(1), 1)
        bridge.until_acknowledged(1)
        with bridge.app_state.database.writing() as connection:
            revoke(connection, "home-1", START_MS + 1)
        bridge.clock.advance(1000)
        bridge.until(lambda: bridge.ingest._unit_registry._changed_ms == START_MS + 1, "read again")

        bridge.broker.deliver("cp/home-1/event", a_record(2), 2)
        bridge.until_acknowledged(2)
        assert bridge.counter("dropped_revoked") == 1
        assert bridge.contact_ms("home-1") == START_MS
        assert stored_events(bridge) == 1

        with bridge.app_state.database.writing() as connection:
            change_secret(connection, "home-1", START_MS + 2)
        bridge.clock.advance(1000)
        bridge.until(lambda: bridge.ingest._unit_registry._changed_ms == START_MS + 2, "read again")
        bridge.broker.deliver("cp/home-1/event", a_record(3), 3)
        bridge.until_acknowledged(3)
        assert bridge.contact_ms("home-1") == START_MS + 2000, "with a new secret it counts again"
        assert stored_events(bridge) == 2


def test_no_error_of_the_database_loses_a_message_or_ends_receiving(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with outside_bridge(tmp_path) as bridge:
        bridge.add_unit("known")
        bridge.broker.deliver("cp/known/heartbeat", HEARTBEAT, 1)
        bridge.until_acknowledged(1)
        database = BrokenDatabase(bridge)
        for number, error in enumerate(DATABASE_ERRORS):
            added = f"added-{number}"
            bridge.add_unit(added)
            caplog.clear()
            database.fail(bridge, error)
            bridge.clock.advance(1000)
            bridge.broker.deliver(f"cp/{added}/event", a_record(1), 1000 + number)
            bridge.broker.deliver("cp/known/event", a_record(10 + number), 2000 + number)
            bridge.until_acknowledged(2000 + number)
            assert bridge.contact_ms("known") == bridge.clock.at_ms, "the last list stays in force"
            database.fail(bridge, error)
            assert 1000 + number not in bridge.broker.acknowledged, repr(error)
            assert bridge.contact_ms(added) is None
            errors = [record for record in caplog.records if record.levelno == logging.ERROR]
            assert len(errors) == 1, "told once and not with every read"

            database.error = None
            bridge.until_acknowledged(1000 + number)
            assert bridge.contact_ms(added) == bridge.clock.at_ms, "it reached us live, however long it had to wait"
        assert stored_events(bridge) == 2 * len(DATABASE_ERRORS)
        assert bridge.counter("quarantined") == 0
        assert bridge.broker.connections == 1, "no connection was ended"


def test_a_message_that_came_while_the_list_was_read_waits_for_the_next_read(tmp_path: Path) -> None:
    is_read, go_on = threading.Event(), threading.Event()

    def slow(app_state: AppState) -> None:
        assert isinstance(app_state.broker, MqttIngest)
        unit_registry = app_state.broker._unit_registry
        read = unit_registry.read

        def read_slowly(ids: Collection[str]) -> RegistryUpdate:
            update = read(ids)
            if "new" in ids and not is_read.is_set():
                is_read.set()
                assert go_on.wait(DEADLINE_S)
            return update

        unit_registry.read = read_slowly  # type: ignore[method-assign]

    with outside_bridge(tmp_path, slow) as bridge:
        bridge.broker.deliver("cp/new/event", a_record(1), 1)
        assert is_read.wait(DEADLINE_S)
        bridge.add_unit("new")
        bridge.broker.deliver("cp/new/event", a_record(2), 2)
        bridge.until(lambda: len(bridge.ingest._pending) == 2, "both wait")
        go_on.set()
        bridge.until_acknowledged(2)
        assert bridge.counter("quarantined") == 1, "the first came before it was added"
        assert stored_events(bridge) == 1


def test_of_an_id_that_is_no_unit_s_the_id_alone_is_stored(tmp_path: Path) -> None:
    with outside_bridge(tmp_path) as bridge:
        for packet_id, stranger in enumerate(("nobody", "not an id", "x" * 500), 1):
            bridge.broker.deliver(f"cp/{stranger}/event", a_record(1), packet_id)
            bridge.until_acknowledged(packet_id)
        bridge.app_state.unknown_clients.write()
        with bridge.app_state.database.reading() as connection:
            assert {one.id for one in read_unknown_clients(connection)} == {"nobody", "not an id", "x" * 36}
        assert stored_events(bridge) == 0


def test_messages_that_find_no_room_to_wait_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "PENDING", 3)
    with outside_bridge(tmp_path) as bridge:
        database = BrokenDatabase(bridge)
        database.fail(bridge, DATABASE_ERRORS[0])
        bridge.add_unit("new")
        for number in range(1, 6):
            bridge.broker.deliver("cp/new/event", a_record(number), number)
        bridge.until(lambda: bridge.counter("dropped_pending") == 2, "had no room for two")
        assert not bridge.broker.acknowledged
        database.error = None
        for number in range(1, 6):
            bridge.until_acknowledged(number)
        assert stored_events(bridge) == 5
        assert bridge.broker.connections == 2


@contextmanager
def failing(thing: Any, name: str, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let a method raise once and then work again. Yield a list that is no longer empty afterwards."""
    raised: list[int] = []
    works = getattr(thing, name)

    def method(*arguments: Any, **options: Any) -> Any:
        if not raised:
            raised.append(1)
            raise error
        return works(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(thing, name, method)
        yield raised


@pytest.mark.parametrize("make_error", ANY_ERRORS, ids=lambda make: type(make()).__name__)
@pytest.mark.parametrize(
    "where", ["_receive", "_settle", "_on_connect", "_on_subscribe", "_on_disconnect", "_on_publish"]
)
def test_no_error_ends_receiving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, make_error: Callable[[], BaseException]
) -> None:
    with outside_bridge(tmp_path) as bridge:
        bridge.ingest._client._reconnect_min_delay = bridge.ingest._client._reconnect_max_delay = 0
        bridge.add_unit("home-1")
        bridge.broker.deliver("cp/home-1/heartbeat", HEARTBEAT, 1)
        bridge.until_acknowledged(1)
        client, thread = bridge.ingest._client, bridge.ingest._client._thread
        with failing(bridge.ingest, where, make_error(), monkeypatch) as raised:
            for name in ("on_connect", "on_subscribe", "on_disconnect", "on_message", "on_publish"):
                setattr(client, name, getattr(bridge.ingest, f"_{name}"))
            if where in ("_on_connect", "_on_subscribe", "_on_disconnect", "_on_publish"):
                client.batched.shut_down()
            else:
                bridge.broker.deliver("cp/home-1/event", a_record(1), 2)
            bridge.until(lambda: raised, "raised")

        def failures() -> int:
            return bridge.counter("failed_messages") + bridge.counter("failed_connections")

        bridge.until(
            lambda: failures() == 1 and bridge.broker.connections > 1 and bridge.ingest.live.is_set(), "connected again"
        )
        bridge.broker.deliver("cp/home-1/event", a_record(2), 3)
        bridge.until_acknowledged(3)
        if where in ("_receive", "_settle"):
            bridge.until_acknowledged(2)
        assert client._thread is thread
        assert thread is not None and thread.is_alive()
        assert failures() == 1


def test_one_message_that_always_fails_keeps_out_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with outside_bridge(tmp_path) as bridge:
        bridge.add_unit("home-1")
        take = bridge.app_state.broker._ingest.take  # type: ignore[attr-defined]

        def take_some(unit_id: str, kind: str, payload: bytes, *others: Any) -> bool:
            if payload == a_record(1):
                raise RuntimeError("injected")
            return bool(take(unit_id, kind, payload, *others))

        monkeypatch.setattr(bridge.ingest._ingest, "take", take_some)
        monkeypatch.setattr(bridge.ingest._ingest, "take_late", take_some)
        bridge.broker.deliver("cp/home-1/event", a_record(1), 1)
        bridge.until(lambda: bridge.counter("failed_messages") == 2, "failed, and again on the next connection")
        bridge.until(bridge.ingest.live.is_set, "live")
        for number in range(2, 20):
            bridge.broker.deliver("cp/home-1/event", a_record(number), number)
            bridge.until_acknowledged(number)
        assert 1 not in bridge.broker.acknowledged
        assert bridge.broker.connections == 2, "renewed once a minute at most"


@pytest.mark.parametrize(
    "garbage",
    [
        packets.whole(0x32, b"\xff\xff"),  # PUBLISH, its topic longer than the packet
        packets.whole(0x90, b""),  # SUBACK of nothing
        packets.whole(0x40, b""),  # PUBACK
        packets.whole(0x32, b"\0\x04cp/\xff\0\x01"),  # a topic that is not UTF-8
        packets.whole(0x30, b"\0\x01x"),  # a topic without a subscription
        b"\xf0\x00",  # a reserved packet
        b"\x30\xff\xff\xff\xff\xff",  # a length of five bytes
    ],
    ids=lambda garbage: garbage.hex(),
)
def test_nothing_that_a_broker_sends_ends_receiving(tmp_path: Path, garbage: bytes) -> None:
    with outside_bridge(tmp_path) as bridge:
        client, thread = bridge.ingest._client, bridge.ingest._client._thread
        client._reconnect_min_delay = client._reconnect_max_delay = 0
        bridge.add_unit("home-1")
        bridge.broker.send(garbage)
        bridge.until(lambda: bridge.broker.connections == 2 and bridge.ingest.live.is_set(), "connected again")
        bridge.broker.deliver("cp/home-1/heartbeat", HEARTBEAT, 1)
        bridge.until_acknowledged(1)
        assert client._thread is thread


def test_qos_0_counts_and_is_not_acknowledged(tmp_path: Path) -> None:
    with outside_bridge(tmp_path) as bridge:
        bridge.add_unit("home-1")
        bridge.broker.deliver_once("cp/home-1/heartbeat", HEARTBEAT)
        bridge.until(lambda: bridge.contact_ms("home-1") == START_MS, "in contact")
        bridge.broker.deliver("cp/home-1/event", a_record(1), 7)
        bridge.until_acknowledged(7)
        assert bridge.broker.acknowledged == {7}, "a PUBACK of nothing would end the connection"


def test_a_retained_message_of_a_unit_is_cleared_once(tmp_path: Path) -> None:
    with outside_bridge(tmp_path) as bridge:
        bridge.add_unit("home-1")
        for packet_id, topic in enumerate(
            ("cp/home-1/heartbeat", "cp/home-1/heartbeat", "cp/nobody/heartbeat", "cp/_bridge-2/heartbeat"), 1
        ):
            bridge.broker.deliver(topic, HEARTBEAT, packet_id, retain=True)
            bridge.until_acknowledged(packet_id)
        bridge.broker.deliver("cp/home-1/heartbeat", b"", 5)  # as the broker forwards what we publish
        bridge.until_acknowledged(5)
        bridge.until(lambda: bridge.broker.published, "cleared")
        (cleared,) = bridge.broker.published
        assert cleared == Publish("cp/home-1/heartbeat", b"", cleared.packet_id, 1, False, True)
        assert bridge.contact_ms("home-1") is None
        counts = {name: bridge.counter(name) for name in ("dropped_retained", "cleared_retained", "dropped_empty")}
        assert counts == {"dropped_retained": 3, "cleared_retained": 1, "dropped_empty": 1}


def test_what_came_before_the_first_read_of_the_list_is_not_lost(tmp_path: Path) -> None:
    reads: list[Callable[[], None]] = []

    def fail(_ids: Collection[str]) -> RegistryUpdate:
        raise RuntimeError("injected")

    def unreadable(app_state: AppState) -> None:
        assert isinstance(app_state.broker, MqttIngest)
        unit_registry = app_state.broker._unit_registry
        read = unit_registry.read
        unit_registry.read = fail  # type: ignore[method-assign, assignment]
        reads.append(lambda: setattr(unit_registry, "read", read))

    with outside_bridge(tmp_path, unreadable) as bridge:
        bridge.add_unit("home-1")
        bridge.broker.deliver("cp/home-1/heartbeat", HEARTBEAT, 1, retain=True)
        bridge.broker.deliver("cp/home-1/event", a_record(1), 2)
        bridge.until(lambda: len(bridge.ingest._pending) == 2, "both wait")
        assert not bridge.broker.acknowledged
        reads[0]()
        bridge.until_acknowledged(2)
        assert bridge.contact_ms("home-1") == START_MS
        bridge.until(lambda: bridge.broker.published, "the retained one was cleared")


@pytest.mark.parametrize("level", [4, 5])
def test_a_command_that_the_broker_does_not_allow_is_not_sent(tmp_path: Path, level: int) -> None:
    """MQTT 3.1.1 cannot report it: there, the command looks sent."""
    with outside_bridge(tmp_path, level=level) as bridge:
        assert bridge.command("home-1") is (level == 4)
        assert bridge.broker.published[-1].topic == "cp/home-1/command"
        refused = bridge.counter("refused_publishes")
        assert refused == (2 if level == 5 else 0), "the marker, and the command"


@pytest.mark.parametrize("level", [4, 5])
def test_a_command_that_was_not_sent_does_not_come_later(tmp_path: Path, level: int) -> None:
    with outside_bridge(tmp_path, level=level) as bridge:
        before = bridge.broker.connections
        bridge.broker.go_away()
        bridge.until(lambda: not bridge.ingest.live.is_set(), "noticed that the broker is away")
        assert bridge.command("home-1") is False
        bridge.broker.come_back()
        bridge.until(lambda: bridge.broker.connections > before, "connected again")
        bridge.command("home-2")
        assert [said.topic for said in bridge.broker.published] == ["cp/home-2/command"]


@pytest.mark.parametrize("level", [4, 5])
def test_a_command_in_the_moment_of_the_loss_does_not_come_later(tmp_path: Path, level: int) -> None:
    """paho reports itself as connected until its callback has run."""
    with outside_bridge(tmp_path, level=level) as bridge:
        tell, sent = bridge.ingest._client.on_disconnect, list[bool]()
        assert tell is not None

        def lost(*told: Any) -> None:
            sent.append(bridge.ingest._publish_command("home-1", b"{}"))
            tell(*told)

        bridge.ingest._client.on_disconnect = lost
        before = bridge.broker.connections
        bridge.broker.go_away()
        bridge.until(lambda: bool(sent), "noticed that the broker is away")
        bridge.broker.come_back()
        bridge.until(lambda: bridge.broker.connections > before, "connected again")
        bridge.command("home-2")
        assert [said.topic for said in bridge.broker.published] == ["cp/home-2/command"]
        assert sent == [False]


def test_what_the_recorder_has_no_room_for_is_not_acknowledged_and_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside_bridge(tmp_path) as bridge:
        bridge.add_unit("home-1")
        with monkeypatch.context() as full:
            full.setattr(recorder, "MAX_WAITING", 0)
            bridge.broker.deliver("cp/home-1/event", a_record(1), 1)
            bridge.until(lambda: bridge.counter("refused_waiting") > 0, "refused")
            assert 1 not in bridge.broker.acknowledged
        bridge.until_acknowledged(1)


def test_what_a_unit_sends_beyond_its_quota_is_dropped_and_holds_back_nobody(tmp_path: Path) -> None:
    """Unacknowledged messages would fill the broker's in-flight window for all units."""
    with outside_bridge(tmp_path) as bridge:
        bridge.ingest._ingest._quotas = Quotas(burst=2)
        for name in ("home-1", "home-2"):
            bridge.add_unit(name)
        for number in range(1, 6):
            bridge.broker.deliver("cp/home-1/event", a_record(number), number)
        bridge.broker.deliver("cp/home-2/event", a_record(1), 6)
        for number in range(1, 7):
            bridge.until_acknowledged(number)
        assert stored_events(bridge) == 2 + 1
        assert bridge.counter("refused_over_quota") == 3


def test_a_thread_that_ends_while_it_is_stopped_is_no_error() -> None:
    """Otherwise the rest of the bridge would not be stopped."""
    thread = threading.Thread(target=lambda: None)
    thread.start()

    class Ending(BatchedClient):
        looks = 0

        @property
        def _thread(self) -> threading.Thread | None:
            """Return the thread for the first check only."""
            self.looks += 1
            return thread if self.looks == 1 else None

        @_thread.setter
        def _thread(self, _thread: threading.Thread | None) -> None:
            self.looks = 0

    loop = asyncio.new_event_loop()
    assert Ending(loop, lambda _error: None).loop_stop() is MQTTErrorCode.MQTT_ERR_SUCCESS
    loop.close()


def test_a_connection_that_is_given_up_while_it_is_stopped_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """paho wakes its thread through a socket, which that thread may just have closed."""

    def closed(*_: object, **_options: object) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    with outside_bridge(tmp_path) as bridge:
        monkeypatch.setattr(bridge.ingest._client, "disconnect", closed)
        monkeypatch.setattr(bridge.ingest._client, "publish", closed)
        assert bridge.command("home-1") is False
