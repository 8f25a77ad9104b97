"""What does the listener do with a packet, a login, a crowd and what lets its time pass? Without any socket."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cloud_bridge.connection_limits import divide
from cloud_bridge.counters import Counters
from cloud_bridge.duplicate_identity import ALIVE_MS
from cloud_bridge.ingest import listener as listener_module
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.listener import UNREAD_BYTES, MqttListener
from cloud_bridge.ingest.packets import Connect, MalformedPacket, PacketTooLarge, Publish
from cloud_bridge.ingest.session import ConnectReceived, ForBroker, PublishReceived

NOW_MS = 1_767_225_600_000
CONNECT = Connect("MQTT", 4, 60, 8, "cp-1", None, False, "cp-1", "secret")
BUDGET = divide(1000)._replace(units=4, unproven=2, logins=3)


class Task:
    """Of asyncio; what is made of a coroutine is not run."""

    def __init__(self, made: Any) -> None:
        made.close()
        self.cancelled = False

    def add_done_callback(self, _call: Any) -> None:
        """It is never done."""

    def cancel(self) -> None:
        self.cancelled = True


class Connection:
    """Of MqttConnection; `done` is what was asked of it."""

    def __init__(self, unit_id: str = "cp-1") -> None:
        self.late = self.ended = False
        self.session = SimpleNamespace(unit_id=unit_id, is_overdue=lambda _now_s: self.late)
        self.done: list[Any] = []
        self.is_made = True
        self.unsent = 0
        self.network = "192.0.2.0/24"
        self.credentials_ms: int | None = None
        self.as_evidence: Any = "evidence"
        self.waiting_login: Any = None
        self.broker_task: Any = None
        self.transport = SimpleNamespace(
            abort=lambda: self.ends("cut off"), is_closing=lambda: self.ended, get_write_buffer_size=lambda: self.unsent
        )

    def ends(self, how: str) -> None:
        self.done.append(how)
        self.ended = True

    def abort(self) -> None:
        self.ends("aborted")

    def pass_on(self, packet: bytes) -> None:
        self.done.append(packet)

    def write_several(self, several: list[bytes]) -> None:
        self.done.append(several)

    def refuse(self, code: int) -> None:
        self.done.append(("refused", code))

    def committed(self, packet_id: int | None) -> Any:
        return lambda: self.done.append(("committed", packet_id))

    def accept(self, unit_id: str, keep_alive_s: int, body: bytes) -> tuple[str, str]:
        self.session.unit_id = unit_id
        self.done.append(("accepted", unit_id, keep_alive_s, body))
        return "reader", "writer"


class Around:
    """What it asks and tells, all in one; `told` has it in its order."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.told: list[Any] = []
        self.admitted = self.takes = True
        self.refused = packets.ACCEPTED
        self.heard: Any = None
        self.clock = self.live = self.reports = self.credentials = self

    def now_ms(self) -> int:
        return NOW_MS

    def admits(self, unit_id: str, now_ms: int) -> bool:
        self.told.append(("admits", unit_id, now_ms))
        return self.admitted

    def take(self, *message: Any) -> bool:
        *_, committed, evidence = message
        committed()
        self.told.append(("taken", *message[:-2], evidence))
        return self.takes

    def take_canary(self, now_ms: int, committed: Any) -> bool:
        committed()
        self.told.append(("canary", now_ms))
        return self.takes

    def find(self, _unit_id: str) -> Any:
        return self.heard

    def unit(self, unit_id: str) -> Any:
        return SimpleNamespace(unit_id=unit_id)

    def connected(self, unit_id: str, connected: bool) -> None:
        self.told.append(("connected", unit_id, connected))

    async def changed_ms(self, _unit_id: str) -> int:
        return 7

    async def changed(self, _since_ms: int) -> dict[str, int]:
        return {"cp-1": 7, "gone": 7}

    async def refusal(self, connect: Connect, network: str) -> int:
        assert connect.client_id and network == "192.0.2.0/24"
        return self.refused


class Loop(asyncio.SelectorEventLoop):
    """Nothing is run on it."""

    def create_task(self, made: Any, **_: Any) -> Any:  # type: ignore[override]  # it is not run
        return Task(made)

    def time(self) -> float:
        return 1000.0


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    running = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: running)
    yield running
    monkeypatch.undo()
    running.close()


@pytest.fixture
def around() -> Around:
    return Around()


@pytest.fixture
def listener(loop: Loop, around: Any) -> Any:
    async def hand_over(*_: Any) -> None:
        """To the broker."""

    return MqttListener(around, around, hand_over, BUDGET)


def run(made: Any) -> None:
    """A coroutine that waits for nothing."""
    with pytest.raises(StopIteration):
        made.send(None)


def publish(topic: str = "cp/cp-1/heartbeat", retain: bool = False) -> PublishReceived:
    return PublishReceived(Publish(topic, b"{}", 3, 1, False, retain))


# Packets


def test_what_a_unit_publishes_is_taken_in(listener: Any, around: Around) -> None:
    connection = Connection()
    listener._happened(connection, publish())
    assert around.told == [
        ("admits", "cp-1", NOW_MS),
        ("taken", "cp-1", "heartbeat", b"{}", NOW_MS, False, "evidence"),
    ]
    assert connection.done == [("committed", 3)]


def test_what_is_not_taken_ends_the_connection(listener: Any, around: Around) -> None:
    around.takes = False
    for connection in (Connection(), Connection("_canary")):
        listener._happened(connection, publish(f"cp/{connection.session.unit_id}/heartbeat"))
        assert connection.done == [("committed", 3), "cut off"]


@pytest.mark.parametrize(
    ("event", "counter"),
    [
        (publish("cp/cp-2/heartbeat"), "dropped_foreign_topic"),
        (publish("cp/cp-2/heartbeat", True), "dropped_foreign_topic"),
        (publish("cp/cp-1/command"), "dropped_foreign_topic"),
        (publish(retain=True), "dropped_retained"),
    ],
)
def test_what_no_unit_may_publish_is_acknowledged_and_dropped(
    listener: Any, around: Around, event: PublishReceived, counter: str
) -> None:
    connection = Connection()
    listener._happened(connection, event)
    assert connection.done == [("committed", 3)] and getattr(around.counters, counter) == 1
    assert not [one for one in around.told if one[0] == "taken"]


def test_our_own_canary_is_a_mark_and_has_no_quota(listener: Any, around: Around) -> None:
    around.admitted = False
    connection = Connection("_canary")
    listener._happened(connection, publish("cp/_canary/heartbeat"))
    assert around.told == [("canary", NOW_MS)] and connection.done == [("committed", 3)]


def test_other_packets_are_the_broker_s(listener: Any, around: Around) -> None:
    connection = Connection()
    listener._happened(connection, ForBroker(b"\xc0\0"))
    assert connection.done == [b"\xc0\0"]


@pytest.mark.parametrize("event", [publish(), ForBroker(b"\xc0\0")])
def test_one_that_sends_too_much_is_cut_off(listener: Any, around: Around, event: Any) -> None:
    around.admitted, connection = False, Connection()
    listener._happened(connection, event)
    assert connection.done == ["cut off"]


@pytest.mark.parametrize(
    ("error", "counter"), [(PacketTooLarge("x"), "closed_too_large"), (MalformedPacket("x"), "closed_malformed")]
)
def test_what_is_no_mqtt_is_cut_off_and_counted(listener: Any, around: Around, error: Exception, counter: str) -> None:
    connection = Connection()
    listener._happened(connection, error)
    assert connection.done == ["cut off"] and getattr(around.counters, counter) == 1


@pytest.mark.parametrize(("unsent", "is_sent"), [(UNREAD_BYTES - 1, True), (UNREAD_BYTES, False)])
def test_pieces_are_sent_to_who_has_read_the_ones_before(listener: Any, unsent: int, is_sent: bool) -> None:
    assert not listener.send("cp-1", [b"x"]) and not listener.is_connected("cp-1")
    connection = listener._accepted["cp-1"] = Connection()
    connection.unsent = unsent
    assert listener.send("cp-1", [b"x", b"y"]) is is_sent and listener.is_connected("cp-1")
    assert connection.done == ([[b"x", b"y"]] if is_sent else [])


# Crowds


@pytest.mark.parametrize(("unproven", "waiting", "open_", "has_room", "is_busy"), [
    (0, 0, 0, True, False),
    (0, 0, 3, True, False),
    (0, 0, 4, False, False),
    (1, 0, 4, True, False),
    (0, 1, 4, True, False),
    (2, 0, 4, True, False),
    (2, 1, 4, True, True),
    (0, 3, 4, True, True),
])  # fmt: skip
def test_there_is_room_while_somebody_has_proved_nothing_and_no_turn_for_more_than_may_wait(
    listener: Any, unproven: int, waiting: int, open_: int, has_room: bool, is_busy: bool
) -> None:
    listener._all = {Connection() for _ in range(open_)}
    for crowd, count in ((listener._unproven, unproven), (listener._waiting, waiting)):
        for number in range(count):
            crowd.enter(Connection(), f"network {number}")
    assert listener._has_room() is has_room and listener._is_busy() is is_busy
    assert listener.connections == open_


@pytest.mark.parametrize("context", [None, "a context"])
def test_who_comes_in_has_proved_nothing_and_makes_room_by_the_oldest(
    listener: Any, around: Around, monkeypatch: pytest.MonkeyPatch, context: Any
) -> None:
    made: list[Any] = []

    def connection(_loop: Any, accepted: Any, _happened: Any, _lost: Any, over_tls: bool) -> Connection:
        assert accepted == "socket" and over_tls is (context is not None)
        made.append(one := Connection())
        return one

    monkeypatch.setattr(listener_module, "MqttConnection", connection)
    for number in range(BUDGET.unproven):
        listener._take(context, "socket", f"192.0.{number}.7")
    assert around.counters.closed_crowded == 0 and [one.network for one in made] == ["192.0.0.7", "192.0.1.7"]
    listener._take(context, "socket", "192.0.9.7")
    assert [one.done for one in made] == [["aborted"], [], []] and around.counters.closed_crowded == 1
    assert listener.connections == 3


def test_where_all_have_a_place_who_waits_for_its_login_makes_room_last(
    listener: Any, around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener_module, "MqttConnection", lambda *_: Connection())
    waits, unproven = Connection(), Connection()
    listener._all = {waits, unproven, Connection(), Connection()}
    listener._waiting.enter(waits, "a")
    listener._unproven.enter(unproven, "b")
    listener._take(None, "socket", "192.0.2.7")
    assert (waits.done, unproven.done) == ([], ["aborted"])
    listener._unproven.oldest_out()
    listener._take(None, "socket", "192.0.2.8")
    assert waits.done == ["aborted"] and around.counters.closed_crowded == 2


def test_a_connect_waits_for_its_login_and_one_too_many_is_turned_out(listener: Any, around: Around) -> None:
    several = [Connection() for _ in range(BUDGET.logins + 1)]
    for number, connection in enumerate(several):
        connection.network = f"network {number}"
        if number == 0:
            listener._unproven.enter(connection, "x")
        listener._happened(connection, ConnectReceived(CONNECT, b"body"))
        assert connection.waiting_login in listener._logins
    assert len(listener._unproven) == 0
    assert [one.done for one in several] == [["aborted"], [], [], []] and around.counters.closed_crowded == 1


def test_what_is_lost_is_forgotten_everywhere(listener: Any, around: Around) -> None:
    connection = Connection()
    connection.waiting_login = login = Task(run_nothing())
    resumed: list[bool] = []
    listener._acceptors = [SimpleNamespace(resume=lambda: resumed.append(True))]
    listener._all.add(connection)
    listener._unproven.enter(connection, "a")
    listener._waiting.enter(connection, "a")
    listener._accepted["cp-1"] = connection
    listener._lost(connection)
    assert (listener.connections, len(listener._unproven), len(listener._waiting)) == (0, 0, 0)
    assert login.cancelled and not listener.is_connected("cp-1") and resumed == [True]
    assert around.told == [("connected", "cp-1", False)]


async def run_nothing() -> None:
    """A coroutine."""


def test_the_end_of_an_older_connection_marks_nobody_as_gone(listener: Any, around: Around) -> None:
    newer = listener._accepted["cp-1"] = Connection()
    listener._lost(Connection())
    assert listener._accepted["cp-1"] is newer and around.told == []


# From CONNECT to open


def log_in(listener: Any, connection: Connection, client_id: str = "cp-1") -> list[Any]:
    run(listener._authenticate(connection, ConnectReceived(CONNECT._replace(client_id=client_id), b"body")))
    return connection.done


def test_a_unit_that_is_who_it_says_is_let_in(listener: Any, around: Around) -> None:
    connection = Connection("")
    listener._waiting.enter(connection, "a")
    assert log_in(listener, connection) == [("accepted", "cp-1", 60, b"body")]
    assert listener._accepted == {"cp-1": connection} and len(listener._waiting) == 0
    assert connection.credentials_ms == 7 and connection.broker_task is not None
    assert tuple(connection.as_evidence) == (1, False)
    assert around.counters.logins == 1 and around.told == [("admits", "cp-1", NOW_MS), ("connected", "cp-1", True)]


def test_our_canary_is_let_in_and_no_unit(listener: Any, around: Around) -> None:
    around.admitted = False
    assert log_in(listener, Connection(""), "_canary") == [("accepted", "_canary", 60, b"body")]
    assert around.told == [] and around.counters.logins == 1


def test_who_is_refused_or_has_gone_is_not_let_in(listener: Any, around: Around) -> None:
    around.refused = packets.NOT_AUTHORISED
    assert log_in(listener, Connection("")) == [("refused", packets.NOT_AUTHORISED)]
    around.refused, around.admitted = packets.ACCEPTED, False
    assert log_in(listener, Connection("")) == [("refused", packets.UNAVAILABLE)]
    around.admitted, gone = True, Connection("")
    gone.ended = True
    assert log_in(listener, gone) == []
    assert listener._accepted == {} and around.counters.logins == 0


@pytest.mark.parametrize(("heard_ms_ago", "is_alive"), [(ALIVE_MS, True), (ALIVE_MS + 1, False), (None, False)])
def test_the_newest_connection_takes_over_from_one_that_is_alive_or_not(
    listener: Any, around: Around, heard_ms_ago: int | None, is_alive: bool
) -> None:
    if heard_ms_ago is not None:
        around.heard = SimpleNamespace(offset_ms=0, last_contact_ms=NOW_MS - heard_ms_ago)
    older, newer = Connection(), Connection("")
    listener._accepted["cp-1"] = older
    log_in(listener, newer)
    assert older.done == ["cut off"] and listener._accepted == {"cp-1": newer}
    assert tuple(newer.as_evidence) == (1, is_alive) and around.counters.take_overs == 1


def test_one_of_another_process_says_nothing_of_who_is_alive(listener: Any, around: Around) -> None:
    around.heard = SimpleNamespace(offset_ms=None, last_contact_ms=NOW_MS)
    assert not listener._is_alive("cp-1")


# By the clock


def test_what_has_let_its_time_pass_is_closed_and_counted(listener: Any, around: Around) -> None:
    looked: list[bool] = []
    listener._certificate = SimpleNamespace(look=lambda: looked.append(True))
    idle, silent, well = Connection(), Connection(""), Connection("cp-2")
    idle.late = silent.late = True
    listener._all = {idle, silent, well}
    run(listener._reap_once())
    assert [one.done for one in (idle, silent, well)] == [["aborted"], ["aborted"], []]
    assert (around.counters.closed_idle, around.counters.closed_no_connect, looked) == (1, 1, [True])


@pytest.mark.parametrize(("credentials_ms", "ends"), [(7, False), (6, True), (None, True)])
def test_a_secret_that_was_changed_ends_what_was_opened_with_it(
    listener: Any, around: Around, credentials_ms: int | None, ends: bool
) -> None:
    connection = listener._accepted["cp-1"] = Connection()
    connection.credentials_ms = credentials_ms
    run(listener._reap_once())
    assert (connection.done == ["cut off"]) is ends and around.counters.closed_revoked == ends
