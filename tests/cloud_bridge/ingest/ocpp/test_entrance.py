"""Who comes in at the door for OCPP, who makes room, and who waits outside? Without any socket."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cloud_bridge.client_address import Proxies
from cloud_bridge.connection_limits import divide
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.listener import TLS_TIMES
from cloud_bridge.ingest.ocpp import entrance as entrance_module
from cloud_bridge.ingest.ocpp.entrance import Entrance

BUDGET = divide(1000)._replace(units=4, unproven=2, logins=3)
PROXY = "192.0.2.99"


class Connection:
    """Of OcppConnection."""

    def __init__(self, address: str = "192.0.2.7", network: str | None = "192.0.2.0/24") -> None:
        self.address, self.network = address, network
        self.done: list[str] = []

    def abort(self) -> None:
        self.done.append("aborted")

    async def wait_closed(self) -> None:
        self.done.append("closed")


class Task:
    """Of asyncio; it is never done."""

    def add_done_callback(self, _call: Any) -> None:
        """Never called."""


class Loop(asyncio.SelectorEventLoop):
    """Nothing is run on it; `ends_with` is how a handshake ends."""

    ends_with: Exception | None = None

    def create_task(self, made: Any, **_: Any) -> Any:  # type: ignore[override]  # it is not run
        made.close()
        return Task()

    async def connect_accepted_socket(self, make: Any, accepted: Any, **over: Any) -> Any:  # type: ignore[override]  # noted
        self.asked = make(), accepted, over
        if self.ends_with is not None:
            raise self.ends_with


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    running = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: running)
    monkeypatch.setattr(
        entrance_module, "OcppConnection", lambda _server, _accepted, address, network: Connection(address, network)
    )
    yield running
    monkeypatch.undo()
    running.close()


@pytest.fixture
def entrance(loop: Loop) -> Any:
    server: Any = SimpleNamespace(handlers={})
    made: Any = Entrance(server, BUDGET, Counters(), Proxies([PROXY]))
    made.resumed = []
    made._acceptors = [
        SimpleNamespace(resume=lambda: made.resumed.append(True), close=lambda: made.resumed.append(False))
    ]
    return made


def enter(entrance: Any, address: str) -> Connection:
    before = set(entrance.connections)
    entrance._take(None, "socket", address)
    [made] = entrance.connections - before
    assert isinstance(made, Connection) and made.address == address
    return made


def run(made: Any) -> None:
    """A coroutine that waits for nothing."""
    with pytest.raises(StopIteration):
        made.send(None)


@pytest.mark.parametrize(
    ("unproven", "waiting", "open_", "has_room", "is_busy"),
    [
        (0, 0, 3, True, False),
        (0, 0, 4, False, False),
        (1, 0, 4, True, False),
        (0, 1, 4, True, False),
        (1, 1, 4, True, False),
        (2, 1, 4, True, True),
        (0, 3, 4, True, True),
    ],
)
def test_there_is_room_while_somebody_has_proved_nothing_and_no_turn_for_more_than_may_wait(
    entrance: Any, unproven: int, waiting: int, open_: int, has_room: bool, is_busy: bool
) -> None:
    entrance.connections = {Connection() for _ in range(open_)}
    for crowd, count in ((entrance._unproven, unproven), (entrance._waiting, waiting)):
        for number in range(count):
            crowd.enter(Connection(), f"network {number}")
    assert entrance._has_room() is has_room and entrance._is_busy() is is_busy


def test_the_oldest_that_has_proved_nothing_makes_room(entrance: Any) -> None:
    several = [enter(entrance, f"192.0.{number}.7") for number in range(BUDGET.unproven + 1)]
    assert [one.done for one in several] == [["aborted"], [], []] and entrance._counters.closed_crowded == 1
    assert [one.network for one in several] == ["192.0.0.7", "192.0.1.7", "192.0.2.7"]
    assert enter(entrance, PROXY).network is None, "it may be any charger's"


def test_where_all_have_a_place_who_waits_for_its_login_makes_room_last(entrance: Any) -> None:
    waits, unproven = Connection(), Connection()
    entrance.connections = {waits, unproven, Connection(), Connection()}
    entrance._waiting.enter(waits, "a")
    entrance._unproven.enter(unproven, "b")
    enter(entrance, "192.0.2.7")
    assert (waits.done, unproven.done) == ([], ["aborted"])
    entrance._unproven.oldest_out()
    enter(entrance, "192.0.2.8")
    assert waits.done == ["aborted"] and entrance._counters.closed_crowded == 2


def test_a_login_is_waited_for_until_it_is_decided_however_it_ends(entrance: Any) -> None:
    connection = Connection()
    entrance._unproven.enter(connection, "a")
    with pytest.raises(KeyError), entrance.login(connection):
        assert (len(entrance._unproven), len(entrance._waiting), entrance.resumed) == (0, 1, [])
        raise KeyError
    assert len(entrance._waiting) == 0 and entrance.resumed == [True]


def test_one_login_too_many_turns_out_the_oldest(entrance: Any) -> None:
    several = [Connection(network=f"network {number}") for number in range(BUDGET.logins + 1)]
    logins = [entrance.login(one) for one in several]
    for login in logins:
        login.__enter__()
    assert [one.done for one in several] == [["aborted"], [], [], []] and entrance._counters.closed_crowded == 1


@pytest.mark.parametrize(("ends_with", "failed"), [(None, 0), (OSError("the handshake"), 1)])
@pytest.mark.parametrize("context", [None, "a context"])
def test_what_ends_is_forgotten_and_a_handshake_that_fails_is_counted(
    entrance: Any, loop: Loop, ends_with: Exception | None, failed: int, context: Any
) -> None:
    connection, loop.ends_with = enter(entrance, "192.0.2.7"), ends_with
    run(entrance._open(connection, "socket", context))
    over = {"ssl": context} | ({} if context is None else TLS_TIMES)
    assert loop.asked == (connection, "socket", over)
    assert entrance._counters.failed_handshakes == failed and connection.done == ([] if failed else ["closed"])
    assert entrance.connections == set() and len(entrance._unproven) == 0 and entrance.resumed == [True]


def test_the_end_of_it_ends_all(entrance: Any) -> None:
    several = [enter(entrance, f"192.0.{number}.7") for number in range(2)]
    entrance._openings.clear()
    run(entrance.close())
    assert [one.done for one in several] == [["aborted"]] * 2 and entrance.resumed == [False]


def test_it_looks_for_a_new_certificate_where_it_has_one(entrance: Any) -> None:
    entrance.look()
    looked: list[bool] = []
    entrance._certificate = SimpleNamespace(look=lambda: looked.append(True))
    entrance.look()
    assert looked == [True]
