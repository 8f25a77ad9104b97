"""Does the WebSocket of a charger keep its bounds, both ways, and its messages in their order?"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol

from cloud_bridge.ingest.ocpp.connection import (
    MAX_UNCOMMITTED,
    MAX_UNSENT_BYTES,
    SIGNAL_EVERY_S,
    UNKNOWN,
    OcppConnection,
)
from cloud_bridge.ingest.ocpp.frames import Reply
from cloud_bridge.ingest.ocpp.outgoing import Outgoing
from cloud_bridge.ingest.ocpp.v16 import DIALECT
from cloud_bridge.ingest.ocpp.whole_frame import text_frame


class Transport:
    """Of asyncio; `unsent` bytes wait in it."""

    def __init__(self) -> None:
        self.unsent = 0
        self.done: list[Any] = []
        self.ended = False

    def is_closing(self) -> bool:
        return self.ended

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def get_extra_info(self, _name: str, otherwise: Any = None) -> Any:
        return otherwise

    def set_write_buffer_limits(self, *_: int) -> None:
        """Of the library."""

    def write(self, data: bytes) -> None:
        self.done.append(bytes(data))

    def pause_reading(self) -> None:
        self.done.append("pauses")

    def resume_reading(self) -> None:
        self.done.append("reads")

    def abort(self) -> None:
        self.done.append("aborted")
        self.ended = True

    def shutdown(self, _how: int) -> None:
        self.done.append("shut")
        raise OSError("it has ended already")


class Charger:
    """A connection that is open, and whoever takes its messages."""

    def __init__(self) -> None:
        self.transport = Transport()
        accepted: Any = self.transport
        server: Any = self
        self.connection: Any = OcppConnection(server, accepted, "192.0.2.7", "192.0.2.0/24")
        self.taken: list[bytes] = []

    def start_connection_handler(self, _connection: Any) -> None:
        """Of the library's server."""

    def opened(self) -> "Charger":
        """As after the handshake."""
        self.connection.connection_made(self.transport)
        protocol = self.connection.protocol
        protocol.state, protocol.parser = OPEN, Protocol.parse(protocol)
        next(protocol.parser)
        self.connection.request = "its request"
        self.connection.dialect = DIALECT
        self.connection._unread = 0
        self.transport.done.clear()
        return self

    def served(self) -> "Charger":
        self.opened().connection._take = self.taken.append
        return self

    def says(self, *messages: bytes) -> None:
        """Each as a frame that comes alone."""
        for message in messages:
            self.connection.data_received(Frame(Opcode.TEXT, message).serialize(mask=True))


class Loop(asyncio.SelectorEventLoop):
    """Time passes by hand."""

    now_s = 100.0

    def time(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    running = Loop()
    asyncio.set_event_loop(running)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: running)
    yield running
    monkeypatch.undo()
    asyncio.set_event_loop(None)
    running.close()


def test_a_message_that_comes_whole_and_alone_is_given_away_as_it_comes() -> None:
    charger = Charger().served()
    charger.says(b"one", b"two")
    assert charger.taken == [b"one", b"two"] and charger.connection._unread == 0


def test_messages_in_pieces_and_together_come_in_their_order() -> None:
    charger = Charger().served()
    parts = [
        Frame(Opcode.TEXT, b"on", fin=False).serialize(mask=True),
        Frame(Opcode.CONT, b"e").serialize(mask=True),
        Frame(Opcode.BINARY, b"two").serialize(mask=True) + Frame(Opcode.TEXT, b"three").serialize(mask=True),
    ]
    for data in (parts[0][:3], parts[0][3:], *parts[1:]):
        charger.connection.data_received(data)
    charger.says(b"four")
    assert charger.taken == [b"one", b"two", b"three", b"four"]


def test_what_comes_before_anybody_takes_it_waits() -> None:
    charger = Charger().opened()
    charger.says(b"one")
    charger.says(b"two")
    assert charger.taken == [] and "pauses" in charger.transport.done
    charger.connection._take = charger.taken.append
    charger.transport.done.clear()
    charger.connection._go_on()
    assert charger.taken == [b"one", b"two"] and charger.transport.done == ["reads"]


def test_a_charger_is_not_read_while_too_much_waits_for_its_commit() -> None:
    charger = Charger().served()
    for number in range(1, MAX_UNCOMMITTED + 2):
        charger.connection.took()
        assert charger.transport.done == (["pauses"] if number >= MAX_UNCOMMITTED else [])
    charger.transport.done.clear()
    charger.says(b"held")
    assert charger.taken == [] and charger.transport.done == ["pauses"]
    charger.transport.done.clear()
    for left in range(MAX_UNCOMMITTED, MAX_UNCOMMITTED // 2, -1):
        charger.connection.committed(None)
        assert charger.transport.done == [] and charger.taken == [], left
    charger.connection.committed("answer")
    assert charger.taken == [b"held"] and charger.transport.done == ["reads", text_frame(b"answer")]


def test_nothing_is_given_away_once_it_ends() -> None:
    charger = Charger().opened()
    charger.says(b"held")
    charger.transport.ended = True
    charger.connection._take = charger.taken.append
    charger.connection._go_on()
    charger.says(b"late")
    assert charger.taken == []


@pytest.mark.parametrize(
    ("unsent", "done"), [(MAX_UNSENT_BYTES, [text_frame(b"x")]), (MAX_UNSENT_BYTES + 1, ["aborted"])]
)
def test_a_charger_that_does_not_read_is_cut_off(unsent: int, done: list[Any]) -> None:
    charger = Charger().served()
    charger.transport.unsent = unsent
    charger.connection.write("x")
    assert charger.transport.done == done


def test_nothing_is_written_before_it_is_open_or_after() -> None:
    charger = Charger()
    charger.connection.connection_made(charger.transport)
    charger.transport.done.clear()
    charger.connection.write("x")
    charger.connection.ask_for_pong()
    assert charger.transport.done == []


def test_it_can_be_ended_in_the_middle_of_its_handshake() -> None:
    charger = Charger()
    charger.connection.abort()
    assert charger.transport.done == ["shut"], "and it may have ended already"
    charger.opened().connection.abort()
    assert charger.transport.done == ["aborted"]


@pytest.mark.parametrize(("unsent", "ended"), [(MAX_UNSENT_BYTES, False), (MAX_UNSENT_BYTES + 1, True)])
def test_pings_are_signs_and_whoever_does_not_read_their_pongs_is_cut_off(unsent: int, ended: bool) -> None:
    charger = Charger().served()
    charger.transport.unsent = unsent
    charger.connection.data_received(Frame(Opcode.PING, b"").serialize(mask=True))
    assert charger.connection.has_sign and charger.transport.ended is ended


def test_its_pong_is_told_apart_from_its_ping() -> None:
    signs: list[tuple[float, bool]] = []
    charger = Charger().served()
    charger.connection.line.sign = lambda *sign: signs.append(sign)
    for opcode in (Opcode.PING, Opcode.PONG):
        charger.connection.data_received(Frame(opcode, b"").serialize(mask=True))
    assert signs == [(100.0, False), (100.0, True)]


def test_a_frame_that_the_library_has_begun_is_the_librarys_to_end() -> None:
    charger = Charger().served()
    whole = Frame(Opcode.TEXT, b"abc").serialize(mask=True)
    charger.connection.data_received(whole[:4])
    assert charger.connection._unread == 4
    charger.connection.data_received(whole[4:] + whole[:1])
    assert charger.connection._unread == 1 and charger.taken == [b"abc"]
    charger.connection.data_received(whole[1:])
    assert charger.connection._unread == 0 and charger.taken == [b"abc", b"abc"]


def test_before_the_handshake_is_over_all_is_the_librarys() -> None:
    assert Charger().connection._unread == UNKNOWN


# Our CALLs


def asked(charger: Charger) -> list[Any]:
    """The CALLs that were sent, without their ids."""
    frames = [one for one in charger.transport.done if isinstance(one, bytes)]
    return [json.loads(one[one.index(b"[") :])[2:] for one in frames]


def test_a_call_waits_until_the_charger_is_ready_for_it_and_is_noted(loop: Loop) -> None:
    charger, noted = Charger().served(), list[bytes]()
    charger.connection.note_call = noted.append
    charger.connection.ask_for("Heartbeat")
    charger.connection.send_next_call()
    assert asked(charger) == [] and noted == []
    loop.now_s += 10_000.0
    charger.connection.send_next_call()
    assert asked(charger) == [["TriggerMessage", {"requestedMessage": "Heartbeat"}]] and len(noted) == 1
    charger.connection.send_next_call()
    assert len(noted) == 1, "one at a time"


def test_what_we_ask_for_ourselves_gives_way_to_an_order(loop: Loop) -> None:
    charger = Charger().served()
    loop.now_s += 10_000.0
    charger.connection.ask_for_interval()
    charger.connection.calls.add(Outgoing("Reset", {}, lambda _reply: []))
    charger.connection.send_next_call()
    assert [action for action, _ in asked(charger)] == ["Reset"]


def test_a_charger_is_asked_for_its_signal_where_its_maker_has_a_way_to_and_once_in_a_while(loop: Loop) -> None:
    charger = Charger().served()
    calls = charger.connection.calls
    charger.connection.ask_for_signal()
    assert not calls._own, "of a maker who has none"
    charger.connection.charger.vendor = "evnex"
    for now_s, waiting in ((loop.now_s, 1), (loop.now_s + SIGNAL_EVERY_S - 1, 1), (loop.now_s + SIGNAL_EVERY_S, 2)):
        loop.now_s = now_s
        charger.connection.ask_for_signal()
        assert len(calls._own) == waiting
    assert calls._own[0][:2] == ("DataTransfer", {"vendorId": "Evnex", "messageId": "GetRSSI"})


@pytest.mark.parametrize(
    ("reply", "csq"), [(None, 7), (Reply("1", {}), 7), (Reply("1", {"data": "-85"}), 14), (Reply("1", {"data": 20}), 7)]
)
def test_the_signal_that_it_answers_is_its_signal(reply: Reply | None, csq: int) -> None:
    charger = Charger().served()
    charger.connection.charger.csq = 7
    assert charger.connection._take_signal(reply) == [] and charger.connection.charger.csq == csq


def test_it_is_set_up_step_by_step_once_and_that_is_noted_when_all_is_answered() -> None:
    charger = Charger().served()
    own, began_s = charger.connection.calls._own, 1_767_225_600
    charger.connection.set_up(began_s)
    charger.connection.set_up(began_s)
    steps = 0
    while own:
        assert len(own) == 1, "one after the other"
        assert charger.connection.charger.set_up_s == 0
        own.popleft().on_answer(Reply("1", {"status": "Accepted"}))
        steps += 1
    assert steps == len(DIALECT.set_up.wishes) + len(DIALECT.set_up.asks)
    assert charger.connection.charger.set_up_s == began_s
    charger.connection.set_up(began_s)
    assert not own


def test_one_that_does_not_answer_is_not_set_up() -> None:
    charger = Charger().served()
    charger.connection.set_up(1_767_225_600)
    charger.connection.calls._own.popleft().on_answer(None)
    assert not charger.connection.calls._own and charger.connection.charger.set_up_s == 0


def test_it_is_not_read_on_while_messages_are_held_or_too_many_wait() -> None:
    charger = Charger().opened()
    charger.says(b"held")
    charger.transport.done.clear()
    charger.connection._go_on()
    assert charger.transport.done == [], "nobody takes them"
    charger = Charger().served()
    charger.connection._uncommitted = MAX_UNCOMMITTED
    charger.connection._go_on()
    assert charger.transport.done == []
