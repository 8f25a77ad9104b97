"""What does the door do with a frame, with a connection that takes over, and with one that is quiet? Without any socket."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest

from cloud_bridge.client_address import Proxies
from cloud_bridge.connection_limits import divide
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.admission import Secret
from cloud_bridge.ingest.ocpp import door as door_module
from cloud_bridge.ingest.ocpp import identity, login
from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.door import CONTESTED_AFTER, CONTESTED_WITHIN_S, Limits, OcppDoor
from cloud_bridge.ingest.ocpp.error_budget import ERRORS_AT_ONCE, ErrorBudget
from cloud_bridge.ingest.ocpp.line import Do, Line
from cloud_bridge.ingest.ocpp.outgoing import Calls, Outgoing
from cloud_bridge.ingest.ocpp.v16 import DIALECT

NOW_MS = 1_767_225_600_000
HEARTBEAT = b'[2,"1","Heartbeat",{}]'


class Connection:
    """Of OcppConnection, without a socket; `done` is what was asked of it."""

    def __init__(self, unit_id: str = "wall", since_ms: int = 5) -> None:
        self.unit_id, self.since_ms, self.dialect = unit_id, since_ms, DIALECT
        self.charger, self.line, self.calls = ChargerState(), Line(0.0), Calls()
        self.error_budget = ErrorBudget()
        self.credentials_ms: int | None = None
        self.has_answered = self.has_sign = self.ended = False
        self.transport = SimpleNamespace(is_closing=lambda: self.ended)
        self.protocol = SimpleNamespace(close_sent=None)
        self.done: list[Any] = []
        self.while_served: Any = lambda: None

    def abort(self) -> None:
        self.done.append("aborted")
        self.ended = True

    def took(self) -> None:
        self.done.append("took")

    def committed(self, answer: str | None) -> None:
        self.done.append(answer if answer is None else json.loads(answer))

    def send_next_call(self) -> None:
        self.done.append("next call")

    def ask_for(self, message: str) -> None:
        self.done.append(f"asked for {message}")

    def ask_for_interval(self) -> None:
        self.done.append("asked for interval")

    def ask_for_signal(self) -> None:
        self.done.append("asked for signal")

    def ask_for_pong(self) -> None:
        self.done.append("asked for pong")

    def set_up(self, now_s: int) -> None:
        self.done.append(f"set up at {now_s}")

    async def serve(self, take: Any) -> None:
        self.take = take
        self.while_served()


class Around:
    """What the door asks and tells, all in one; `told` has it in its order."""

    canary_secret = "secret"

    def __init__(self) -> None:
        self.counters = Counters()
        self.told: list[tuple[Any, ...]] = []
        self.admitted = self.takes = True
        self.fails = False
        self.records: list[Any] = []
        self.units: dict[str, Any] = {}
        self.left_out = 3
        self.ways = self.reports = self.live = self.clock = self.credentials = self.frames = self.settings = self

    def __getattr__(self, name: str) -> Any:
        return lambda *said, **more: self.told.append((name, *said, *more.values()))

    def now_ms(self) -> int:
        return NOW_MS

    def admits(self, unit_id: str, now_ms: int) -> bool:
        assert now_ms == NOW_MS
        return self.admitted

    def hear(self, unit_id: str, now_ms: int) -> Any:
        if self.fails:
            raise KeyError("ours")
        return unit_id, now_ms

    def take_translated(self, heard: Any, records: list[Any], bad: bool, committed: Any) -> bool:
        self.told.append(("taken", heard, [kind for kind, _ in records], bad))
        committed()
        return self.takes

    def take_canary(self, now_ms: int, committed: Any, way: str) -> bool:
        self.told.append(("canary", now_ms, way))
        committed()
        return self.takes

    def take_late(self, unit_id: str, kind: str, payload: bytes, now_ms: int, committed: Any) -> bool:
        committed()
        self.told.append(("late", unit_id, kind, json.loads(payload), now_ms))
        return self.takes

    def unit(self, unit_id: str) -> Any:
        return self.units.setdefault(unit_id, SimpleNamespace(connected=None))

    def connected(self, unit_id: str, connected: bool, since_ms: int) -> int:
        self.told.append(("connected", unit_id, connected))
        return since_ms + 1

    async def changed(self, _since_ms: int) -> dict[str, int]:
        return {"wall": 7, "gone": 7}

    def of(self, *names: str) -> list[tuple[Any, ...]]:
        return [one for one in self.told if one[0] in names]


class Loop(asyncio.SelectorEventLoop):
    """Time passes by hand."""

    now_s = 1000.0

    def time(self) -> float:
        return self.now_s


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    running = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: running)
    monkeypatch.setattr(door_module, "SocketServer", lambda *_, **__: None)
    yield running
    monkeypatch.undo()
    running.close()


@pytest.fixture
def around() -> Around:
    return Around()


@pytest.fixture
def door(loop: Loop, around: Any) -> Any:
    return OcppDoor(around, around, lambda _unit_id: around, Limits(divide(1000), Proxies(())), around)


def take(door: Any, connection: Connection, data: bytes) -> list[Any]:
    """What becomes of a frame: what is asked of its connection."""
    connection.done.clear()
    door._take_frame(connection, data)
    return connection.done


# Frames


def test_a_call_is_heard_noted_and_answered_once_it_is_stored(door: Any, around: Around) -> None:
    connection = Connection()
    answer = [3, "1", {"currentTime": "2026-01-01T00:00:00.000Z"}]
    assert take(door, connection, HEARTBEAT) == ["took", answer]
    assert around.of("taken") == [("taken", ("wall", NOW_MS), [], False)]
    [(_, unit_id, at_ms, said, answered)] = around.of("note")
    assert (unit_id, at_ms, said, json.loads(answered)) == ("wall", NOW_MS, HEARTBEAT, answer)


def test_what_is_not_taken_is_not_answered_for_long_and_ends_the_connection(door: Any, around: Around) -> None:
    around.takes = False
    assert take(door, Connection(), HEARTBEAT)[-1] == "aborted"
    around.takes, around.admitted = True, False
    assert take(door, Connection(), HEARTBEAT) == ["aborted"] and len(around.of("taken")) == 1
    around.admitted, around.fails = True, True
    assert take(door, Connection(), HEARTBEAT) == ["aborted"] and around.counters.failed_messages == 1


def test_a_boot_sets_it_up_and_asks_for_its_state_if_that_is_not_known(door: Any) -> None:
    connection = Connection()
    done = take(door, connection, b'[2,"1","bootNotification",{}]')
    assert done[:3] == [f"set up at {NOW_MS // 1000}", "asked for StatusNotification", "took"]
    connection.charger.take_status(1, "Available", None)
    assert take(door, connection, b'[2,"2","BootNotification",{}]')[:2] == [f"set up at {NOW_MS // 1000}", "took"]
    assert connection.line.may_call(1002.0)


@pytest.mark.parametrize(
    ("data", "answer", "bad"),
    [
        (b"x", None, True),
        (b'[2,"1"]', [4, "1", "FormationViolation", "no action", {}], True),
        (b'[2,"1","Fly",{}]', [4, "1", "NotImplemented", "", {}], True),
    ],
)
def test_what_cannot_be_read_is_told_so_if_it_has_an_id(
    door: Any, around: Around, data: bytes, answer: Any, bad: bool
) -> None:
    assert take(door, Connection(), data) == ["took", answer]
    assert around.of("taken")[0][3] is bad


def test_a_charger_has_only_so_many_refusals(door: Any, around: Around) -> None:
    connection = Connection()
    for _ in range(ERRORS_AT_ONCE):
        assert take(door, connection, b'[2,"1","Fly",{}]')[1] is not None
    assert take(door, connection, b'[2,"1","Fly",{}]') == ["took", None]
    assert take(door, connection, b"x") == ["took", None]
    assert around.counters.errors_withheld == 1, "what has no answer is withheld from nobody"


def test_an_action_that_fails_for_a_fault_of_ours_is_an_internal_error(
    door: Any, around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(door_module, "carry_out", fail)
    assert take(door, Connection(), HEARTBEAT) == ["took", [4, "1", "InternalError", "", {}]]
    assert around.counters.failed_messages == 1 and around.of("taken")[0][3] is True


def test_an_answer_is_handed_to_whoever_asked_and_the_next_call_goes_out(door: Any, around: Around) -> None:
    connection, heard = Connection(), list[Any]()

    def answered(reply: Any) -> list[Any]:
        heard.append(reply)
        return []

    connection.charger.take_status(1, "Available", None)
    connection.calls.add(Outgoing("Reset", {}, answered))
    message_id = json.loads(connection.calls.next(1000.0) or "")[1]
    door._mute.add("wall")
    assert take(door, connection, b'[3,"of nobody",{}]') == ["next call", "took", None]
    assert door._mute == {"wall"} and not connection.has_answered and heard == []
    assert take(door, connection, b'[3,"%s",{}]' % message_id.encode()) == ["next call", "took", None]
    assert door._mute == set() and connection.has_answered and len(heard) == 1
    assert around.of("own_interval") == [("own_interval", "wall", None)]
    assert around.of("taken")[-1][2:] == (["heartbeat"], False)


def test_how_long_it_is_quiet_by_itself_is_told_where_it_answers_nothing(door: Any, around: Around) -> None:
    connection = Connection()
    connection.line.frame = lambda now_s: 1234.9  # type: ignore[method-assign]
    take(door, connection, HEARTBEAT)
    assert around.of("own_interval") == [("own_interval", "wall", 1234)]


def test_a_frame_of_our_own_canary_is_a_mark(door: Any, around: Around) -> None:
    connection = Connection("_canary")
    door._take_mark(connection, HEARTBEAT)
    assert connection.done == ["took", [3, "1", {}]] and around.of("canary") == [("canary", NOW_MS, "ocpp")]
    around.takes = False
    door._take_mark(connection, b"x")
    assert connection.done[2:] == ["took", None, "aborted"]


# From the first frame to the last


def serve(door: Any, connection: Connection) -> None:
    _run(door._serve(connection))


def _run(made: Any) -> None:
    """A coroutine that waits for nothing."""
    with pytest.raises(StopIteration):
        made.send(None)


def test_a_connection_is_told_to_all_while_it_is_open_and_not_after(door: Any, around: Around) -> None:
    connection = Connection()

    def look() -> None:
        assert door.is_connected("wall") and door.connected() == {"wall": 6}
        assert around.unit("wall").connected is True
        connection.note_call(b"[2]")  # type: ignore[attr-defined]

    connection.while_served = look

    def not_answered(_reply: Any) -> list[Any]:
        connection.done.append("no answer")
        return []

    connection.calls.add(Outgoing("Reset", {}, not_answered))
    serve(door, connection)
    assert not door.is_connected("wall") and around.unit("wall").connected is False
    assert around.of("connected", "opened", "speaks", "closed", "note") == [
        ("connected", "wall", True),
        ("opened", "wall", 6),
        ("speaks", "wall", "ocpp1.6"),
        ("note", "wall", NOW_MS, b"[2]", True),
        ("connected", "wall", False),
        ("closed", "wall"),
    ]
    assert connection.done == ["no answer", "aborted"] and connection.since_ms == 7


@pytest.mark.parametrize(("code", "counted"), [(1009, 1), (1000, 0), (None, 0)])
def test_one_that_ends_for_a_frame_that_was_too_large_is_counted(
    door: Any, around: Around, code: int | None, counted: int
) -> None:
    connection = Connection()
    connection.protocol.close_sent = None if code is None else SimpleNamespace(code=code)
    serve(door, connection)
    assert around.counters.closed_too_large == counted


def test_the_newest_connection_counts_and_takes_what_is_known(door: Any, around: Around) -> None:
    older, newer = Connection(), Connection()
    known: list[Any] = []
    newer.while_served = lambda: known.append(dict(door._open))
    older.while_served = lambda: serve(door, newer)
    door._mute.add("wall")
    serve(door, older)
    assert known == [{"wall": newer}] and newer.charger is older.charger and newer.line.waits
    assert older.done[0] == "aborted" and around.counters.take_overs == 1
    assert around.of("connected", "closed") == [
        ("connected", "wall", True),
        ("connected", "wall", True),
        ("connected", "wall", False),
        ("closed", "wall"),
    ], "the end of the older one marks nobody as gone"


def test_our_own_canary_is_no_charger(door: Any, around: Around) -> None:
    connection = Connection("_canary")
    serve(door, connection)
    connection.take(HEARTBEAT)
    assert around.of("canary") and not around.of("connected", "opened")


# Two with one identity


def taken_over(door: Any, loop: Loop, *after_s: float, quiet_s: float = 0.0, closing: bool = False) -> int:
    """How often it is told that two chargers have one identity, when a connection takes over after each of these times."""
    for passed_s in after_s:
        loop.now_s += passed_s
        older = Connection()
        older.line.frame(loop.now_s - quiet_s)
        older.ended = closing
        door._note_take_over(older)
    return len(door._ingest.of("contested"))


def test_four_that_take_over_within_ten_minutes_are_two_chargers(door: Any, loop: Loop) -> None:
    assert CONTESTED_AFTER == 4
    assert taken_over(door, loop, 0, 1, 1) == 0
    assert taken_over(door, loop, CONTESTED_WITHIN_S - 3) == 1
    assert taken_over(door, loop, 1) == 2, "and each one more"


def test_those_of_longer_ago_do_not_count(door: Any, loop: Loop) -> None:
    assert taken_over(door, loop, 0, 1, 1, CONTESTED_WITHIN_S - 2) == 0


def test_one_that_has_ended_or_was_quiet_is_no_second_charger(door: Any, loop: Loop) -> None:
    assert taken_over(door, loop, 0, 1, 1, 1, closing=True) == 0
    assert taken_over(door, loop, 0, 1, 1, 1, quiet_s=100_000.0) == 0


@pytest.mark.parametrize(("since_ms", "leaves"), [(5, False), (6, True)])
def test_one_that_is_connected_elsewhere_since_leaves(door: Any, around: Around, since_ms: int, leaves: bool) -> None:
    connection = door._open["wall"] = Connection(since_ms=5)
    door.leave("wall", since_ms)
    door.leave("another", since_ms)
    assert (connection.done == ["aborted"]) is leaves and around.counters.take_overs == leaves


def test_who_is_connected_is_told_again(door: Any, around: Around) -> None:
    door._open["wall"] = Connection()
    door.tell_again()
    assert around.of("connected") == [("connected", "wall", True)] and door.connected() == {"wall": 6}


# Commands


def test_a_command_is_for_who_is_connected_and_has_room_for_it(door: Any, around: Around) -> None:
    reboot = b'{"id":"c-1","do":"reboot"}'
    assert not door.command("wall", reboot)
    connection = door._open["wall"] = Connection()
    assert door.command("wall", reboot) and connection.done == ["next call"]
    assert json.loads(connection.calls.next(0.0) or "")[2:] == ["Reset", {"type": "Soft"}]
    while connection.calls.add(Outgoing("A", {}, lambda _reply: [])):
        pass
    assert not door.command("wall", reboot) and connection.done == ["next call"]


def test_a_command_that_has_no_call_has_its_result_at_once(door: Any, around: Around) -> None:
    connection = door._open["wall"] = Connection()
    assert door.command("wall", b'{"id":"c-1","do":"fly"}') and connection.done == []
    assert around.of("late") == [("late", "wall", "result", {"id": "c-1", "ok": False, "y": "not possible"}, NOW_MS)]


# By the clock


@pytest.mark.parametrize(
    ("due", "done"),
    [
        (None, []),
        (Do.PING, ["asked for pong"]),
        (Do.PROBE, ["asked for Heartbeat"]),
        (Do.ASK_BOOT, ["asked for BootNotification", "asked for StatusNotification"]),
        (Do.ASK_INTERVAL, ["asked for interval"]),
    ],
)
def test_what_is_due_is_done(door: Any, loop: Loop, due: Do | None, done: list[str]) -> None:
    connection = Connection()
    connection.line.look = lambda now_s: due  # type: ignore[method-assign]
    door._look_at(connection, loop.now_s)
    assert connection.done == [*done, "asked for signal", "next call"]


def test_one_whose_state_is_known_is_not_asked_for_its_boot(door: Any, loop: Loop) -> None:
    connection = Connection()
    connection.charger.take_status(1, "Available", None)
    connection.line.look = lambda now_s: Do.ASK_BOOT  # type: ignore[method-assign]
    door._look_at(connection, loop.now_s)
    assert connection.done == ["asked for signal", "next call"]


@pytest.mark.parametrize("in_vain", [True, False])
def test_one_that_is_gone_is_closed_and_remembered_if_it_answers_nothing(door: Any, loop: Loop, in_vain: bool) -> None:
    connection = Connection()
    connection.line.look = lambda now_s: Do.CLOSE  # type: ignore[method-assign]
    connection.line.has_asked_in_vain = in_vain
    door._look_at(connection, loop.now_s)
    door._look_at(connection, loop.now_s)
    assert connection.done == ["aborted"] and door._counters.closed_idle == 1
    assert door._mute == ({"wall"} if in_vain else set())


def test_a_sign_of_its_line_is_told_once(door: Any, around: Around, loop: Loop) -> None:
    connection = Connection()
    connection.has_sign = True
    for _ in range(2):
        door._look_at(connection, loop.now_s)
    assert around.of("line_alive") == [("line_alive", "wall")]


@pytest.mark.parametrize(("credentials_ms", "ends"), [(7, False), (6, True), (None, True)])
def test_a_secret_that_was_changed_ends_what_was_opened_with_it(
    door: Any, around: Around, credentials_ms: int | None, ends: bool
) -> None:
    connection = door._open["wall"] = Connection()
    connection.credentials_ms = credentials_ms
    _run(door._look_once())
    assert ("aborted" in connection.done) is ends and around.counters.closed_revoked == ends
    assert around.counters.dropped_frames == 3


# Who is let in


class Headers:
    """Of a request."""

    def __init__(self, **values: str) -> None:
        self._values = values

    def get_all(self, name: str) -> list[str]:
        value = self._values.get(name.lower().replace("-", "_"))
        return [] if value is None else [value]


def knocks(
    door: Any,
    path: str = "/ocpp/wall",
    subprotocol: str = "ocpp1.6",
    found: Secret = Secret.RIGHT,
    closing: bool = False,
) -> tuple[Connection, Any]:
    """A charger that asks to be let in, and why it is refused; None: it is not."""
    connection: Any = Connection("")
    connection.ended, connection.address, connection.dialect = closing, "192.0.2.7", None
    said = b64encode(path.rpartition("/")[2].encode() + b":secret").decode()
    request = SimpleNamespace(
        path=path, headers=Headers(authorization=f"Basic {said}", sec_websocket_protocol=subprotocol)
    )

    async def proof(asking: Any, knock: Any, network: str) -> Secret:
        assert asking is connection and network == "192.0.2.0/24"
        return found

    door._proof = proof
    ended: list[Any] = []
    try:
        door._refusal(connection, "192.0.2.0/24", request).send(None)
    except StopIteration as end:
        ended.append(end.value)
    return connection, *ended


def test_one_that_is_who_it_says_is_let_in(door: Any) -> None:
    connection, refused = knocks(door)
    assert refused is None and (connection.unit_id, connection.dialect) == ("wall", DIALECT)


@pytest.mark.parametrize(
    ("change", "reason", "counter"),
    [
        ({"path": "/"}, identity.NO_ID, "refused_client_id"),
        ({"path": "/" + "x" * 60}, identity.LONG_ID, "refused_client_id"),
        ({"found": Secret.WRONG}, login.WRONG_SECRET, None),
        ({"found": Secret.OF_NOBODY}, login.NOT_OURS, None),
        ({"found": Secret.UNCHECKED}, login.TRY_AGAIN, None),
        ({"subprotocol": "ocpp1.5"}, login.NO_SUBPROTOCOL, "refused_protocol"),
        ({"closing": True}, login.BUSY, None),
    ],
)
def test_one_that_is_not_is_told_why(door: Any, around: Around, change: Any, reason: str, counter: str | None) -> None:
    connection, refused = knocks(door, **change)
    assert refused.reason == reason and connection.unit_id == ""
    assert counter is None or getattr(around.counters, counter) == 1
    called = [("saw_stranger", "x" * 60)] if "x" * 60 in change.get("path", "") else []
    assert around.of("saw_stranger") == called


def test_one_that_sends_too_much_is_not_let_in(door: Any, around: Around) -> None:
    around.admitted = False
    connection, refused = knocks(door)
    assert tuple(refused) == (HTTPStatus.SERVICE_UNAVAILABLE, login.TOO_MUCH, "wall", "") and connection.unit_id == ""
