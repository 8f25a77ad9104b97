"""With a running broker: who can log in, what may they do, and how do bad clients affect others?"""

import asyncio
import threading
import time
from typing import Any

import pytest
from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.session import Session
from sqlalchemy.exc import OperationalError

from cloud_bridge.connection_limits import Crowd
from cloud_bridge.ingest import changed_secrets, listener, packets, session
from cloud_bridge.ingest.credentials import Known
from cloud_bridge.ingest.quotas import BURST, Quotas
from cloud_bridge.ingest.session import MAX_PACKET_BYTES
from cloud_bridge.store import units
from tests.cloud_bridge.raw import CONNACK_OK, RawUnit, connect_packet, publish_packet, text
from tests.cloud_bridge.running import DEADLINE_S, Bridge, Unit, sample

HEARTBEAT = "cp/cp-1/heartbeat"
CHANCE = 4  # factor for a busy machine; a session kept for each login would exceed any factor


def test_a_wrong_secret_is_refused(bridge: Bridge) -> None:
    bridge.add_unit("cp-1")
    assert Unit(bridge, "cp-1", "guess").connect().refusal == 135  # paho's code for CONNACK 5, not authorised
    assert bridge.counter("refused_wrong_secret") == 1


def test_an_unknown_unit_is_refused(bridge: Bridge) -> None:
    assert Unit(bridge, "nobody", "guess").connect().refusal == 135
    assert bridge.counter("refused_unknown_unit") == 1
    assert bridge.app_state.live.find("nobody") is None, "nothing is kept of strangers"


def test_a_client_id_that_is_not_the_user_name_is_refused(bridge: Bridge) -> None:
    secret = bridge.add_unit("cp-1").secret
    assert Unit(bridge, "cp-1", secret, client_id="cp-2").connect().refusal == 133  # CONNACK 2, identifier rejected
    assert bridge.counter("refused_client_id") == 1


def test_no_user_name_is_refused(bridge: Bridge) -> None:
    raw = RawUnit(bridge)
    raw.send(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04cp-1")
    assert raw.receive(4) == b"\x20\x02\x00\x02"
    assert raw.was_closed


def test_a_failed_login_does_not_throw_the_real_unit_out(bridge: Bridge) -> None:
    """amqtt 0.12.1 alone takes the session over before it checks the password."""
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.subscribe("cp/cp-1/command")
    assert Unit(bridge, "cp-1", "guess").connect().refusal == 135
    assert not unit.gone.is_set()
    assert bridge.command("cp-1", sample("command-limit"))
    assert unit.heard.wait(DEADLINE_S), "its subscription stands"
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))


def test_a_thousand_failed_logins_leave_no_sessions_behind_and_slow_nobody_down(bridge: Bridge) -> None:
    """amqtt 0.12.1 alone keeps a session for each, forever. The last hundred cost no more than the first, within CHANCE."""
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    took_s = []
    for _ in range(10):
        begun_s = time.process_time()  # broker and clients are one process, so other load does not count
        for _ in range(100):
            raw = RawUnit(bridge)
            raw.send(connect_packet("cp-1", "cp-1", "guess"))
            assert raw.receive(4) == b"\x20\x02\x00\x05"
            raw.close()
        took_s.append(time.process_time() - begun_s)
    bridge.until(lambda: bridge.broker.connections == 1, "closed")
    assert bridge.broker.sessions == 1
    assert bridge.counter("refused_wrong_secret") == 1000
    assert min(took_s[5:]) < CHANCE * min(took_s[:5])
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    assert not unit.gone.is_set()


def test_what_a_unit_costs_the_broker_does_not_grow_with_the_others(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """amqtt 0.12.1 alone searches the subscriptions of all others for its login, SUBSCRIBE, command, will and end."""
    looks = 0

    def counted(of: type, name: str) -> None:
        real = getattr(of, name)

        def looked(*arguments: Any) -> Any:
            nonlocal looks
            looks += 1
            return real(*arguments)

        monkeypatch.setattr(of, name, looked)

    for name in ("_matches", "_del_subscription", "_publish_retained_messages_for_subscription"):
        counted(Broker, name)
    counted(Session, "__repr__")
    secret, command = bridge.add_unit("cp-1").secret, sample("command-limit")
    took = []
    for others in (0, 20):
        for number in range(others):
            name = f"other-{number}"
            Unit(bridge, name, bridge.add_unit(name).secret).connect().subscribe(f"cp/{name}/command")
        looks = 0
        unit = RawUnit(bridge)
        unit.send(connect_packet("cp-1", "cp-1", secret, will="cp/cp-1/lwt"))
        assert unit.receive(4) == CONNACK_OK
        unit.send(packets.whole(0x82, b"\0\1" + text("cp/cp-1/command") + b"\1"))
        assert unit.receive(5) == b"\x90\x03\0\1\1"
        assert bridge.command("cp-1", command)
        assert unit.receive(len(publish_packet("cp/cp-1/command", command))).endswith(command)
        unit.close()
        bridge.until(lambda: bridge.broker.sessions <= others, "gone")  # noqa: B023  # called here
        took.append(looks)
    assert max(took) <= 5


@pytest.mark.parametrize("topic", ["cp/cp-2/heartbeat", "cp/cp-1/lwt", "cp/cp-1/command", "other"])
def test_a_publish_anywhere_else_is_acknowledged_dropped_and_no_contact(bridge: Bridge, topic: str) -> None:
    bridge.add_unit("cp-2")
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.publish(topic, sample("heartbeat-idle"))
    assert bridge.counter("dropped_foreign_topic") == 1
    assert bridge.read("cp-1")["last_contact"] is None
    assert bridge.read("cp-2")["last_contact"] is None


@pytest.mark.parametrize("topic", ["cp/cp-2/command", "cp/+/command", "#", "cp/cp-1/heartbeat", "$SYS/#"])
def test_a_subscription_to_anything_but_its_own_commands_is_refused(bridge: Bridge, topic: str) -> None:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    assert unit.subscribe(topic) == 0x80
    assert unit.subscribe("cp/cp-1/command") == 1


@pytest.mark.parametrize(
    ("topic", "retain"), [("cp/cp-2/heartbeat", False), ("cp/cp-1/lwt", True), ("cp/cp-1/event", False)]
)
def test_a_will_anywhere_but_on_its_own_lwt_is_refused_at_connect(bridge: Bridge, topic: str, retain: bool) -> None:
    """amqtt 0.12.1 alone publishes wills without its access list."""
    secret = bridge.add_unit("cp-1").secret
    unit = Unit(bridge, "cp-1", secret).will(topic, b"{}", retain).connect()
    assert unit.refusal == 135
    assert bridge.counter("refused_will") == 1


def test_the_newest_connection_of_a_unit_stays_and_gets_its_commands(bridge: Bridge) -> None:
    secret = bridge.add_unit("cp-1").secret
    for clean in (True, False, False):
        older = Unit(bridge, "cp-1", secret, clean_session=clean).connect()
        older.subscribe("cp/cp-1/command")
        newer = Unit(bridge, "cp-1", secret, clean_session=clean).connect()
        assert older.gone.wait(DEADLINE_S)
        newer.subscribe("cp/cp-1/command")
        assert bridge.command("cp-1", sample("command-limit"))
        assert newer.heard.wait(DEADLINE_S)
        assert older.commands == []
        newer.disconnect()
    assert bridge.counter("take_overs") == 3


def test_of_two_logins_at_once_the_later_one_ends_the_other(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the first would continue unseen, and could not be closed after a revocation."""
    hand_over = bridge.broker._listener._hand_over

    async def lingering(reader: ReaderAdapter, writer: WriterAdapter) -> None:
        await hand_over(reader, writer)
        await asyncio.sleep(0.3)  # so that both logins wait for it

    monkeypatch.setattr(bridge.broker._listener, "_hand_over", lingering)
    secret = bridge.add_unit("cp-1").secret
    oldest = RawUnit(bridge).connect("cp-1", secret)
    both = [RawUnit(bridge) for _ in range(2)]
    for one in both:
        one.send(connect_packet("cp-1", "cp-1", secret))
    assert oldest.was_closed
    bridge.until(lambda: bridge.counter("logins") == 3, "both were let in")
    bridge.until(lambda: bridge.broker.connections == 1, "one is left")


def test_a_store_that_cannot_be_read_refuses_a_login_for_now(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreadable(*_: str) -> bool:
        raise OperationalError("SELECT", None, OSError("disk I/O error"))

    monkeypatch.setattr(bridge.broker._credentials, "check", unreadable)
    raw = RawUnit(bridge)
    raw.send(connect_packet("cp-1", "cp-1", "secret"))
    assert raw.receive(4) == b"\x20\x02\x00\x03"
    assert raw.was_closed and bridge.counter("refused_store") == 1


def test_a_command_for_a_unit_that_is_not_connected_is_not_kept(bridge: Bridge) -> None:
    secret = bridge.add_unit("cp-1").secret
    assert not bridge.command("cp-1", b"{}")
    unit = Unit(bridge, "cp-1", secret, clean_session=False).connect()
    unit.subscribe("cp/cp-1/command")
    unit.disconnect()
    bridge.until(lambda: bridge.broker.connections == 0, "closed")
    assert not bridge.command("cp-1", b"{}")
    unit = Unit(bridge, "cp-1", secret, clean_session=False).connect()
    unit.publish(HEARTBEAT, b"{}")
    assert unit.commands == []


@pytest.mark.parametrize("level", [3, 5])
def test_another_mqtt_version_gets_a_clear_refusal(bridge: Bridge, level: int) -> None:
    """amqtt 0.12.1 alone does not answer MQTT 5."""
    raw = RawUnit(bridge)
    raw.send(connect_packet("cp-1", "cp-1", "x", level=level))
    assert raw.receive(4) == b"\x20\x02\x00\x01"
    assert raw.was_closed


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        b"\x16\x03\x01\x02\x00",  # a TLS hello on the plain port
        publish_packet("cp/cp-1/heartbeat", b"{}"),  # before CONNECT
        b"\x10\xff\xff\xff\xff\x7f",
        b"\x10\x02\x00\x04",
    ],
)
def test_what_is_not_mqtt_ends_its_own_connection_and_nothing_else(bridge: Bridge, data: bytes) -> None:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    raw = RawUnit(bridge)
    raw.send(data)
    assert raw.was_closed
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00",  # reserved type
        b"\xf0\x00",
        b"\x20\x02\x00\x00",  # a CONNACK from a client
        b"\x32\x02\x00\x09",  # a topic longer than the packet
        b"\x34\x05\x00\x01a\x00\x01",  # QoS 2
        b"\x82\x06\x00\x01\x00\x01a\x03",  # SUBSCRIBE with QoS 3
        b"\x82\x06\x00\x01\x00\x01a\x81",  # with a reserved bit of it
        b"\x82\x06\x00\x00\x00\x01a\x01",  # with packet identifier 0
        b"\x82\x02\x00\x01",  # without a topic filter
        b"\x82\x05\x00\x01\x00\x00\x01",  # with an empty one
        b"\x82\x05\x00\x01\x00\x01a",  # without a QoS
        b"\x80\x06\x00\x01\x00\x01a\x01",  # with wrong flags
        b"\xa2\x05\x00\x00\x00\x01a",  # UNSUBSCRIBE with packet identifier 0
        b"\xa2\x02\x00\x01",  # without a topic filter
        b"\x40\x02\x00\x00",  # PUBACK with packet identifier 0
        b"\x40\x03\x00\x01\x00",  # longer than a PUBACK
        b"\xc0\x01\x00",  # PINGREQ with a body
        b"\xe1\x00",  # DISCONNECT with flags
        connect_packet("cp-1", "cp-1", "again"),
    ],
)
def test_a_malformed_packet_of_a_known_unit_ends_its_connection(bridge: Bridge, data: bytes) -> None:
    raw = RawUnit(bridge).connect("cp-1", bridge.add_unit("cp-1").secret)
    raw.send(data)
    assert raw.was_closed
    assert bridge.counter("closed_malformed") == 1


def test_a_packet_too_large_is_not_waited_for(bridge: Bridge) -> None:
    raw = RawUnit(bridge).connect("cp-1", bridge.add_unit("cp-1").secret)
    raw.send(b"\x30\xff\xff\xff\x7f")  # announces 256 MB
    assert raw.was_closed
    assert bridge.counter("closed_too_large") == 1
    assert bridge.read("cp-1")["last_contact"] is None


def test_the_largest_packet_is_taken(bridge: Bridge) -> None:
    raw = RawUnit(bridge).connect("cp-1", bridge.add_unit("cp-1").secret)
    payload = b"x" * (MAX_PACKET_BYTES - len(text("cp/cp-1/event")) - 2)
    raw.send(publish_packet("cp/cp-1/event", payload, 9))
    assert raw.receive(4) == b"\x40\x02\x00\x09"


def test_packets_may_come_byte_by_byte_or_all_at_once_with_the_connect(bridge: Bridge) -> None:
    secret = bridge.add_unit("cp-1").secret
    stream = connect_packet("cp-1", "cp-1", secret) + publish_packet(HEARTBEAT, b"{}", 5) + b"\xc0\x00"
    answers = (b"\x40\x02\x00\x05" + b"\xd0\x00", b"\xd0\x00" + b"\x40\x02\x00\x05")  # PUBACK and PINGRESP
    whole = RawUnit(bridge)
    whole.send(stream)
    assert whole.receive(4) == CONNACK_OK, "comes first"
    assert whole.receive(6) in answers
    pieces = RawUnit(bridge)
    for byte in stream:
        pieces.send(bytes((byte,)))
    assert pieces.receive(4) == CONNACK_OK
    assert pieces.receive(6) in answers


def test_a_unit_that_floods_is_slowed_and_loses_nothing(bridge: Bridge) -> None:
    raw = RawUnit(bridge).connect("cp-1", bridge.add_unit("cp-1").secret)
    count = BURST - 1  # one for the login
    raw.send(
        b"".join(publish_packet("cp/cp-1/event", b'{"b":1,"n":%d}' % number, number + 1) for number in range(count))
    )
    assert len(raw.receive(4 * count)) == 4 * count
    assert bridge.counter("contacts") == count


def test_of_too_many_logins_the_oldest_goes_and_none_is_left_waiting(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is slow: closed logins stop waiting, and the remaining ones are accepted."""
    listening, may_answer = bridge.broker._listener, threading.Event()
    check = bridge.broker._credentials.check

    async def slow(unit_id: str, secret: str, known: Known | None) -> bool | None:
        await asyncio.to_thread(may_answer.wait, DEADLINE_S)
        return await check(unit_id, secret, known)

    monkeypatch.setattr(bridge.broker._credentials, "check", slow)
    listening._waiting = Crowd(50, 10)
    secret = bridge.add_unit("cp-1").secret
    crowd = [RawUnit(bridge) for _ in range(40)]
    for raw in crowd:
        raw.send(connect_packet("cp-2", "cp-2", "guess"))
    bridge.until(lambda: bridge.counter("closed_crowded") == 30, "the oldest were closed")
    bridge.until(lambda: len(listening._logins) <= 10 + listener.LOGINS_AT_ONCE, "their logins too")
    unit = RawUnit(bridge)
    unit.send(connect_packet("cp-1", "cp-1", secret))
    may_answer.set()
    assert unit.receive(4) == CONNACK_OK
    bridge.until(lambda: not listening._logins, "all are over")


def test_of_a_fleet_that_comes_faster_than_it_is_let_in_nobody_is_closed(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing the oldest for the newest would close those whose turn is next."""
    listening, may_answer = bridge.broker._listener, threading.Event()
    check = bridge.broker._credentials.check

    async def slow(unit_id: str, secret: str, known: Known | None) -> bool | None:
        await asyncio.to_thread(may_answer.wait, DEADLINE_S)
        return await check(unit_id, secret, known)

    monkeypatch.setattr(bridge.broker._credentials, "check", slow)
    monkeypatch.setattr(listening, "_budget", listening._budget._replace(logins=5))
    listening._waiting = Crowd(5, 100)
    fleet = [(RawUnit(bridge), f"cp-{number}", bridge.add_unit(f"cp-{number}").secret) for number in range(20)]
    for raw, name, secret in fleet:
        raw.send(connect_packet(name, name, secret))
    bridge.until(lambda: len(listening._waiting) == 5, "as many as may wait")
    may_answer.set()
    assert [raw.receive(4) for raw, _, _ in fleet] == 20 * [CONNACK_OK]
    assert bridge.counter("closed_crowded") == 0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the listener's timeouts. Needs to run before the bridge."""
    monkeypatch.setattr(listener, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(session, "CONNECT_WITHIN_S", 0.05)
    monkeypatch.setattr(session, "IDLE_FACTOR", 0.05)


@pytest.mark.usefixtures("impatient")
def test_a_connection_without_connect_is_closed(bridge: Bridge) -> None:
    assert RawUnit(bridge).was_closed
    assert bridge.counter("closed_no_connect") == 1


@pytest.mark.usefixtures("impatient")
def test_a_unit_silent_for_longer_than_its_keepalive_allows_is_closed(bridge: Bridge) -> None:
    """amqtt 0.12.1 alone never detects that a unit has lost its power."""
    raw = RawUnit(bridge)
    raw.send(connect_packet("cp-1", "cp-1", bridge.add_unit("cp-1").secret, keep_alive_s=1))
    assert raw.receive(4) == CONNACK_OK
    assert raw.was_closed
    assert bridge.counter("closed_idle") == 1


def test_a_flood_of_pings_is_slowed_to_the_broker_s_pace_and_answered(bridge: Bridge) -> None:
    raw = RawUnit(bridge).connect("cp-1", bridge.add_unit("cp-1").secret)
    count = 20_000
    bridge.broker._listener._ingest._quotas = Quotas(burst=count)
    sender = threading.Thread(target=raw.send, args=(b"\xc0\x00" * count,))
    sender.start()
    assert raw.receive(2 * count) == b"\xd0\x00" * count
    sender.join()


@pytest.mark.usefixtures("impatient")
def test_a_revoked_unit_is_thrown_out_and_a_new_secret_lets_it_in_again(bridge: Bridge) -> None:
    secret = bridge.add_unit("cp-1").secret
    unit = Unit(bridge, "cp-1", secret).connect()
    with bridge.app_state.database.writing() as connection:
        units.revoke(connection, "cp-1", bridge.clock.now_ms())
    assert unit.gone.wait(DEADLINE_S)
    assert bridge.counter("closed_revoked") == 1
    assert Unit(bridge, "cp-1", secret).connect().refusal == 135
    bridge.clock.advance(1)
    with bridge.app_state.database.writing() as connection:
        secret = units.change_secret(connection, "cp-1", bridge.clock.now_ms())
    bridge.clock.advance(1)
    unit = Unit(bridge, "cp-1", secret).connect()
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    assert not unit.gone.is_set()


@pytest.mark.usefixtures("impatient")
def test_a_unit_revoked_while_nobody_could_look_is_thrown_out_afterwards(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine slept, or the store was unreadable, for longer than a look goes back."""
    changed = bridge.broker._credentials.changed
    away = threading.Event()
    away.set()

    async def not_now(since_ms: int) -> dict[str, int]:
        if away.is_set():
            raise OperationalError("SELECT", None, OSError("disk I/O error"))
        return await changed(since_ms)

    monkeypatch.setattr(bridge.broker._credentials, "changed", not_now)
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    with bridge.app_state.database.writing() as connection:
        units.revoke(connection, "cp-1", bridge.clock.now_ms())
    bridge.clock.advance(10 * changed_secrets.LOOK_BACK_MS)
    away.clear()
    assert unit.gone.wait(DEADLINE_S) and bridge.counter("closed_revoked") == 1
