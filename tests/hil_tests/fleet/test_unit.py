"""Does a simulated unit behave as the firmware's link does? In virtual time, without sockets."""

import struct
from typing import Any

import pytest

from hil_tests.fleet.charge_point import Habits
from hil_tests.fleet.scenarios import Manner, Part
from hil_tests.fleet.unit import (
    ANSWER_WITHIN_S,
    TCP_WITHIN_S,
    Abandon,
    Attempt,
    Close,
    Login,
    Open,
    Send,
    State,
    Tempo,
    Unit,
)

EVERY_S = 60.0
CONNACK, UNAVAILABLE, REFUSED = b"\x20\x02\0\0", b"\x20\x02\0\3", b"\x20\x02\0\5"
NEVER = Habits(10**9, 10**9)


class Machine:
    """A unit, and a broker that answers when the test tells it to."""

    def __init__(self, manner: Manner = Manner.USUAL, **part: Any) -> None:
        whole = Part(0, "23415", manner, False, 1.0, part.pop("stop_at_s", None), 7)
        self.unit = Unit(Login("cp-1", "secret", 3), whole._replace(**part), Tempo(9, EVERY_S, 1e9, 100.0), NEVER)
        self.now_s = 100.0

    def due(self) -> list[Any]:
        self.now_s = self.unit.deadline_s
        return self.unit.due(self.now_s)

    def hear(self, data: bytes) -> list[Any]:
        self.now_s += 0.1
        return self.unit.received(data, self.now_s)

    def drop(self) -> list[Any]:
        return [*self.unit.drop(self.now_s)]

    def network_lost(self, for_s: float) -> list[Any]:
        return [*self.unit.network_lost(self.now_s, self.now_s + for_s)]

    def connect(self) -> bytes:
        """Connect up to the first PUBLISH, and return it."""
        assert isinstance(self.due()[0], Open)
        self.unit.opened(self.now_s)
        (subscribe,) = self.hear(CONNACK)
        (publish,) = self.hear(b"\x90\x03" + subscribe.data[2:4] + b"\1")
        assert isinstance(publish, Send)
        return publish.data

    def acknowledge(self, publish: bytes) -> list[Any]:
        return self.hear(b"\x40\x02" + packet_id(publish))

    def settle(self, publish: bytes) -> None:
        """Acknowledge until the unit has nothing more to send."""
        while (actions := self.acknowledge(publish)) and isinstance(actions[-1], Send):
            publish = actions[-1].data


def packet_id(publish: bytes) -> bytes:
    at = 4 + struct.unpack(">H", publish[2:4])[0] if publish[1] < 0x80 else 5 + struct.unpack(">H", publish[3:5])[0]
    return publish[at : at + 2]


def test_it_speaks_as_soon_as_it_is_connected_and_delivers_its_journal() -> None:
    machine = Machine()
    assert machine.unit.deadline_s == 101.0
    heartbeat = machine.connect()
    assert b"cp/cp-1/heartbeat" in heartbeat
    attempt, event = machine.acknowledge(heartbeat)
    assert attempt.is_acknowledged and attempt.message.kind == "heartbeat"
    assert b"cp/cp-1/event" in event.data and b'"k":"boot"' in event.data
    acknowledged_s = machine.now_s
    (attempt,) = machine.acknowledge(event.data)
    assert (attempt.message.kind, attempt.message.sequence) == ("event", 0)
    assert machine.unit.state is State.READY
    assert machine.unit.deadline_s == pytest.approx(acknowledged_s + EVERY_S)
    (again,) = machine.due()
    assert b"cp/cp-1/heartbeat" in again.data


def test_a_missed_puback_is_answered_by_dup_and_a_second_one_ends_the_connection() -> None:
    machine = Machine()
    first = machine.connect()
    sent_s = machine.now_s
    (again,) = machine.due()
    assert machine.now_s == pytest.approx(sent_s + ANSWER_WITHIN_S)
    assert again.data == bytes((first[0] | 8,)) + first[1:]
    attempt, close = machine.due()
    assert (attempt.is_acknowledged, close) == (False, Close())
    assert (attempt.sent_s, attempt.last_sent_s) == pytest.approx((sent_s, sent_s + ANSWER_WITHIN_S))
    assert machine.unit.state is State.RESTING


def test_a_record_is_kept_until_it_is_acknowledged_and_a_heartbeat_is_not() -> None:
    machine = Machine()
    _, event = machine.acknowledge(machine.connect())
    attempt, close = machine.drop()
    assert (attempt.message.kind, attempt.is_acknowledged, close) == ("event", False, Close(is_reset=True))
    heartbeat = machine.connect()
    assert b'{"n":2,"b":9' in heartbeat
    _, again = machine.acknowledge(heartbeat)
    assert again.data.partition(b"{")[2] == event.data.partition(b"{")[2]


@pytest.mark.parametrize(("answer", "longest_s"), [(UNAVAILABLE, 15.0), (REFUSED, 720.0)])
def test_a_refusal_is_waited_for_longer_than_a_broker_that_cannot_serve_now(answer: bytes, longest_s: float) -> None:
    waits_s = []
    for seed in range(50):
        machine = Machine(seed=seed)
        for _ in range(12):
            machine.due()
            machine.unit.opened(machine.now_s)
            assert machine.hear(answer) == [Close()]
        waits_s.append(machine.unit.deadline_s - machine.now_s)
    assert longest_s / 2 < max(waits_s) <= longest_s


def test_every_wait_has_its_deadline() -> None:
    machine = Machine()
    machine.due()
    began_s = machine.now_s
    assert machine.due() == [Close()]
    assert machine.now_s == pytest.approx(began_s + TCP_WITHIN_S)
    machine.due()
    machine.unit.opened(machine.now_s)
    began_s = machine.now_s
    assert machine.due() == [Close()]
    assert machine.now_s == pytest.approx(began_s + ANSWER_WITHIN_S)


@pytest.mark.parametrize("data", [b"\x20\x02\0\0", b"\xd0\0", b"\x40\xff\xff\xff\xff\x01"])
def test_what_the_broker_may_not_send_ends_the_connection(data: bytes) -> None:
    machine = Machine()
    machine.connect()
    attempt, close = machine.hear(data)
    assert (attempt.is_acknowledged, close) == (False, Close())


def test_a_puback_of_another_packet_is_passed_over() -> None:
    machine = Machine()
    heartbeat = machine.connect()
    assert machine.hear(b"\x40\x02\x77\x77") == []
    assert isinstance(machine.acknowledge(heartbeat)[0], Attempt)


def test_units_of_a_lost_network_leave_their_connection_half_open_and_come_back() -> None:
    machine = Machine()
    machine.connect()
    attempt, abandon = machine.network_lost(45)
    assert (attempt.is_acknowledged, abandon) == (False, Abandon())
    assert machine.now_s + 45 <= machine.unit.deadline_s <= machine.now_s + 60
    assert isinstance(machine.due()[0], Open)


def test_a_sleeping_unit_says_goodbye_and_comes_back_for_its_heartbeat() -> None:
    machine = Machine(Manner.SLEEPING)
    heartbeat = machine.connect()
    _, event = machine.acknowledge(heartbeat)
    due_s = machine.now_s + EVERY_S
    _, goodbye, close = machine.acknowledge(event.data)
    assert (goodbye.data, close) == (b"\xe0\0", Close())
    assert machine.unit.deadline_s == pytest.approx(due_s)


def test_a_silent_unit_is_gone_for_good() -> None:
    machine = Machine(Manner.SILENT, stop_at_s=30.0)
    machine.settle(machine.connect())
    assert machine.due() == [Abandon()]
    assert machine.now_s == 130.0
    assert machine.unit.is_over
    assert machine.unit.deadline_s == float("inf")
    assert machine.unit.lost(131) == []


def test_a_flapping_unit_loses_its_connection_while_it_is_well() -> None:
    machine = Machine(Manner.FLAPPING)
    machine.settle(machine.connect())
    assert machine.due() == [Close(is_reset=True)]
    assert machine.unit.state is State.RESTING


def test_a_forgetful_unit_sends_again_what_was_acknowledged() -> None:
    repeats = 0
    for seed in range(50):
        machine = Machine(Manner.FORGETFUL, seed=seed)
        sent = machine.connect()
        if machine.acknowledge(sent) == []:
            (again,) = machine.due()
            assert again.data == bytes((sent[0] | 8,)) + sent[1:]
            repeats += 1
    assert 0 < repeats < 50


def test_at_the_end_only_what_is_under_way_is_waited_for() -> None:
    machine = Machine()
    heartbeat = machine.connect()
    assert machine.unit.end() == []
    assert not machine.unit.is_over
    attempt, goodbye, close = machine.acknowledge(heartbeat)
    assert (attempt.is_acknowledged, goodbye.data, close) == (True, b"\xe0\0", Close())
    assert machine.unit.is_over


def test_it_chooses_among_all_doors() -> None:
    assert {Machine(seed=seed).due()[0].door for seed in range(50)} == {0, 1, 2}


def test_a_second_board_counts_boots_of_its_own() -> None:
    assert b'"b":1000009' in Machine(Manner.TWIN, is_second_board=True).connect()
