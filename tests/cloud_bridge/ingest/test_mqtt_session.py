"""The protocol of one connection without a socket: is its output independent of how bytes arrive, and bounded?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.ingest import packets
from cloud_bridge.ingest.packets import MalformedPacket, PacketTooLarge
from cloud_bridge.ingest.session import (
    ANSWER_WITHIN_S,
    CONNECT_OVER_TLS_WITHIN_S,
    CONNECT_WITHIN_S,
    IDLE_LIMIT_S,
    MAX_PACKET_BYTES,
    MAX_UNCOMMITTED,
    TABLE,
    ConnectReceived,
    Event,
    ForBroker,
    Input,
    MqttSession,
    PublishReceived,
    SessionError,
    State,
)
from tests.cloud_bridge.raw import connect_packet, publish_packet

CONNECT = connect_packet("cp-1", "cp-1", "secret", keep_alive_s=60)
PUBLISH = publish_packet("cp/cp-1/heartbeat", b"{}", 7)
PINGREQ = b"\xc0\x00"
STREAM = CONNECT + PUBLISH + PINGREQ + publish_packet("cp/cp-1/event", b"x" * 300, 8) + PUBLISH


def opened(now_s: float = 0.0) -> MqttSession:
    session = MqttSession(now_s)
    session.receive(CONNECT, now_s)
    assert isinstance(session.next_event(now_s), ConnectReceived)
    session.accept("cp-1", 60)
    session.open(now_s)
    return session


def events_of(chunks: list[bytes]) -> list[Event]:
    """Return the events when the login is only decided after all bytes have arrived."""
    session, found = MqttSession(0.0), list[Event]()
    for chunk in chunks:
        session.receive(chunk, 0.0)
        while event := session.next_event(0.0):
            found.append(event)
    session.accept("cp-1", 60)
    session.open(0.0)
    while event := session.next_event(0.0):
        found.append(event)
    return found


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_the_events_are_the_same_however_the_bytes_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[at:to] for at, to in zip(places, places[1:], strict=False)]
    assert events_of(chunks) == events_of([STREAM])
    assert [type(event) for event in events_of(chunks)] == [
        ConnectReceived,
        PublishReceived,
        ForBroker,
        PublishReceived,
        PublishReceived,
    ]


@given(st.lists(st.binary(max_size=60), max_size=10), st.booleans())
def test_any_bytes_are_events_or_a_malformed_packet(chunks: list[bytes], is_open: bool) -> None:
    session = opened() if is_open else MqttSession(0.0)
    try:
        for chunk in chunks:
            session.receive(chunk, 0.0)
            while session.next_event(0.0) is not None:
                pass
    except MalformedPacket:
        session.end()
    assert session.state in (State.AWAITING_CONNECT, State.AUTHENTICATING, State.OPEN, State.CLOSED)


def test_the_keepalive_is_ours_to_keep_and_off_for_the_broker() -> None:
    session = MqttSession(0.0)
    session.receive(CONNECT, 0.0)
    event = session.next_event(0.0)
    assert isinstance(event, ConnectReceived)
    assert event.connect.keep_alive_s == 60
    assert packets.parse_connect(event.body).keep_alive_s == 0


def test_nothing_is_read_on_while_a_login_is_checked_and_only_so_much_is_kept() -> None:
    session = MqttSession(0.0)
    session.receive(CONNECT + PUBLISH, 0.0)
    assert isinstance(session.next_event(0.0), ConnectReceived)
    assert session.next_event(0.0) is None
    with pytest.raises(PacketTooLarge):
        session.receive(b"x" * (MAX_PACKET_BYTES + 1), 0.0)


@pytest.mark.parametrize(
    "data",
    [b"GET /", PUBLISH, b"\x10\xff\xff\xff\xff\x01", b"\x10\x02\x00\x04", b"\x12" + CONNECT[1:]],
)
def test_a_first_packet_that_is_no_proper_connect_is_a_violation(data: bytes) -> None:
    session = MqttSession(0.0)
    session.receive(data, 0.0)
    with pytest.raises(MalformedPacket):
        session.next_event(0.0)


@pytest.mark.parametrize("data", [CONNECT, b"\x20\x02\x00\x00", b"\xf0\x00", b"\x34\x05\x00\x01a\x00\x01"])
def test_what_a_unit_must_not_send_once_it_is_in_is_a_violation_after_what_came_before(data: bytes) -> None:
    session = opened()
    session.receive(PUBLISH + data, 0.0)
    assert isinstance(session.next_event(0.0), PublishReceived)
    with pytest.raises(MalformedPacket):
        session.next_event(0.0)


def test_a_unit_that_sends_faster_than_is_committed_is_full_until_it_is() -> None:
    session = opened()
    for _ in range(MAX_UNCOMMITTED):
        assert not session.is_full
        session.receive(PUBLISH, 0.0)
        assert isinstance(session.next_event(0.0), PublishReceived)
    assert session.is_full
    assert session.commit(7) == b"\x40\x02\x00\x07"
    assert session.commit(None) == b""
    assert not session.is_full


def test_bytes_do_not_extend_the_time_to_connect() -> None:
    session = MqttSession(0.0)
    session.receive(CONNECT[:1], CONNECT_WITHIN_S)
    assert session.next_event(CONNECT_WITHIN_S) is None
    assert not session.is_overdue(CONNECT_WITHIN_S)
    assert session.is_overdue(CONNECT_WITHIN_S + 0.1)


def test_each_state_has_its_own_deadline() -> None:
    session = MqttSession(0.0)
    session.receive(CONNECT, 10.0)
    session.next_event(10.0)
    assert not session.is_overdue(10.0 + ANSWER_WITHIN_S)
    assert session.is_overdue(10.1 + ANSWER_WITHIN_S)
    session.accept("cp-1", 60)
    session.open(100.0)
    assert not session.is_overdue(190.0)
    assert session.is_overdue(190.1)
    session.receive(PINGREQ, 150.0)
    assert not session.is_overdue(240.0)


def test_a_unit_without_a_keepalive_is_not_waited_for_without_end() -> None:
    session = MqttSession(0.0)
    session.receive(connect_packet("cp-1", "cp-1", "secret", keep_alive_s=0), 0.0)
    session.next_event(0.0)
    session.accept("cp-1", 0)
    session.open(0.0)
    assert not session.is_overdue(IDLE_LIMIT_S)
    assert session.is_overdue(IDLE_LIMIT_S + 0.1)


def test_over_tls_there_is_time_for_the_handshake() -> None:
    session = MqttSession(5.0, over_tls=True)
    assert not session.is_overdue(5.0 + CONNECT_OVER_TLS_WITHIN_S)
    assert session.is_overdue(5.1 + CONNECT_OVER_TLS_WITHIN_S)


def test_a_new_session_has_said_nothing_and_owes_nothing() -> None:
    session = MqttSession(0.0)
    assert (session.state, session.unit_id, session.uncommitted) == (State.AWAITING_CONNECT, "", 0)
    assert session.next_event(0.0) is None and not session.is_full


def test_one_packet_is_kept_while_a_login_is_checked() -> None:
    session = MqttSession(0.0)
    session.receive(CONNECT, 0.0)
    session.next_event(0.0)
    session.next_event(0.0)
    session.receive(b"x" * (MAX_PACKET_BYTES - len(CONNECT)), 0.0)
    with pytest.raises(PacketTooLarge):
        session.receive(b"x" * (len(CONNECT) + 1), 0.0)


def test_a_packet_of_an_open_session_is_bounded_and_what_lies_behind_it_is_not() -> None:
    session = opened()
    most = publish_packet("cp/cp-1/event", b"", 7)
    filled = publish_packet("cp/cp-1/event", b"x" * (MAX_PACKET_BYTES - len(most) + 2), 7)
    session.receive(filled * 3, 0.0)
    assert [isinstance(session.next_event(0.0), PublishReceived) for _ in range(3)] == [True] * 3
    session.receive(publish_packet("cp/cp-1/event", b"x" * (MAX_PACKET_BYTES - len(most) + 3), 7), 0.0)
    with pytest.raises(PacketTooLarge):
        session.next_event(0.0)


def test_a_session_that_ended_says_nothing_more() -> None:
    session = opened()
    session.receive(PUBLISH, 0.0)
    session.end()
    assert session.next_event(0.0) is None


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("happened", [Input.ACCEPT, Input.CONNACK])
def test_what_we_must_not_do_in_a_state_is_a_mistake_of_ours(state: State, happened: Input) -> None:
    session = MqttSession(0.0)
    session.state = state

    def act() -> None:
        if happened is Input.ACCEPT:
            session.accept("cp-1", 60)
        else:
            session.open(0.0)

    if happened in TABLE[state]:
        act()
        assert session.state is TABLE[state][happened]
    else:
        with pytest.raises(SessionError, match=f"{happened.value} while {state.value}"):
            act()


def test_every_state_can_end_and_every_state_can_be_reached() -> None:
    assert all(TABLE[state][Input.END] is State.CLOSED for state in State)
    assert {to for row in TABLE.values() for to in row.values()} == set(State) - {State.AWAITING_CONNECT}
