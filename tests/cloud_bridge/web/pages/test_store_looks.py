"""Does an open page show what another process has stored, and end for a viewer who loses the right to it?"""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import OperationalError

from cloud_bridge.store.access import Role
from cloud_bridge.store.claims import release
from cloud_bridge.store.conversations import conversation_about, send
from cloud_bridge.store.inbound_message import InboundMessage
from cloud_bridge.store.jobs import raise_job
from cloud_bridge.store.page_versions import AT_ONCE, Versions, unit_versions, versions_of
from cloud_bridge.store.people import (
    change_role,
    close_session,
    end_sessions,
    find_person,
    open_session,
    remove_person,
    set_password,
    who_has_session,
)
from cloud_bridge.store.record import record
from cloud_bridge.store.tables import members, units
from cloud_bridge.store.units import add_unit, visible_unit
from cloud_bridge.store.vehicles import add_row
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.web.pages.driver import looks, store_looks, stream
from cloud_bridge.web.pages.driver.looks import Looks, Turn
from cloud_bridge.web.pages.driver.store_looks import StoreLooks
from cloud_bridge.web.pages.driver.stream import Stored
from cloud_bridge.web.presentation.view import charge_point, mark
from cloud_bridge.wire import decode
from tests.cloud_bridge.people import give
from tests.cloud_bridge.running import DEADLINE_S, Bridge, sample


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for room, name in ((looks, "LOOK_S"), (store_looks, "LOOK_S"), (stream, "PAUSE_S"), (stream, "SETTLE_S")):
        monkeypatch.setattr(room, name, 0.001)
    monkeypatch.setattr(stream, "ALIVE_S", DEADLINE_S)  # so that no sign of life makes it read the store


@pytest.fixture
def ann(bridge: Bridge) -> str:
    """The cookie of a session. Ann owns home-1; home-2 belongs to Ben, who shares it with her."""
    for name in ("ann", "ben", "sue"):
        bridge.add_person(name, "correct horse", Role.SUPPORT if name == "sue" else Role.DRIVER)
    for unit_id, owner in (("home-1", "ann"), ("home-2", "ben")):
        give(bridge, bridge.add_unit(unit_id).claim_code, owner)
    with bridge.app_state.database.writing() as connection:
        person = find_person(connection, "ann")
        connection.execute(insert(members), {"unit_id": "home-2", "person_id": person.id, "from_ms": 0})
        return open_session(connection, person, bridge.clock.now_ms())


def reading(bridge: Bridge, session: str, unit_id: str = "home-1") -> Callable[[], Stored | None]:
    """Return a function that reads as the page does."""

    def read() -> Stored | None:
        now_ms = bridge.clock.now_ms()
        with bridge.app_state.database.reading() as connection:
            person = who_has_session(connection, session, now_ms)
            unit = None if person is None else visible_unit(connection, person, unit_id)
            versions = versions_of(connection, unit_id, session, now_ms)
            return None if unit is None else Stored(unit, "", versions)

    return read


def listening(bridge: Bridge, session: str, unit_id: str = "home-1") -> AsyncIterator[str]:
    """Return what the stream sends after the state that the page shows."""
    read = reading(bridge, session, unit_id)
    now = read()
    assert now
    shown = mark(charge_point(bridge.app_state, now.unit), "")
    turn = Turn(Looks(bridge.app_state))
    return stream.changes(
        bridge.app_state, read, lambda _unit, point: point.heartbeat.state or "?", shown, turn, session
    )


def store_heartbeat(bridge: Bridge, name: str = "heartbeat-charging", unit_id: str = "home-1") -> None:
    """Store a heartbeat as another process does: this process has nothing of it in memory."""
    payload = sample(name)
    message = decode("heartbeat", payload)
    inbound = InboundMessage(unit_id, "heartbeat", bridge.clock.now_ms(), payload, message, bad=False)
    with bridge.app_state.database.writing() as connection:
        record(connection, [inbound])


def test_what_another_process_has_heard_is_an_event(bridge: Bridge, ann: str) -> None:
    async def run() -> None:
        events = listening(bridge, ann)
        assert (await anext(events)).startswith("event: alive\n")
        for name, state in (("heartbeat-charging", "C2"), ("heartbeat-idle", "A1")):
            await asyncio.to_thread(store_heartbeat, bridge, name)
            assert f"data: {state}\n" in await anext(events)
            bridge.clock.advance(1000)

    asyncio.run(run())


ENDS: dict[str, Callable[[Connection, Bridge, str], object]] = {
    "logged out": lambda connection, _, session: close_session(connection, session),
    "all others logged out": lambda connection, _, session: end_sessions(connection, find_person(connection, "ann")),
    "another password": lambda connection, _, session: set_password(connection, find_person(connection, "ann"), "x"),
    "the account is gone": lambda connection, _, session: remove_person(connection, find_person(connection, "ann")),
    "they are an operator now": lambda connection, _, session: change_role(
        connection, find_person(connection, "ann"), Role.OPERATOR
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_stream_ends_with_a_session_that_another_process_has_ended(bridge: Bridge, ann: str, end: str) -> None:
    async def run() -> None:
        events = listening(bridge, ann)
        await anext(events)
        with bridge.app_state.database.writing() as connection:
            ENDS[end](connection, bridge, ann)
        assert [event async for event in events] == []

    asyncio.run(run())


def test_the_stream_ends_when_another_process_has_released_the_unit(bridge: Bridge, ann: str) -> None:
    async def run() -> None:
        events = listening(bridge, ann)
        await anext(events)
        with bridge.app_state.database.writing() as connection:
            release(connection, "home-1", find_person(connection, "ann").id, now_ms=bridge.clock.now_ms())
        assert [event async for event in events] == []

    asyncio.run(run())


def test_the_stream_of_a_member_ends_when_they_are_one_no_more(bridge: Bridge, ann: str) -> None:
    async def run() -> None:
        events = listening(bridge, ann, "home-2")
        await anext(events)
        with bridge.app_state.database.writing() as connection:
            connection.execute(members.delete())
        assert [event async for event in events] == []

    asyncio.run(run())


def _answer(connection: Connection) -> None:
    about = conversation_about(connection, find_person(connection, "ann"), None, 5)
    send(connection, about, find_person(connection, "sue"), "Yes.", None, "once", 5)


def _vehicle(connection: Connection) -> None:
    person_id = find_person(connection, "ann").id
    car = {"provider": "tesla", "car_id": "1", "vin": "V", "name": "Car", "created_ms": 0}
    add_row(connection, car | {"person_id": person_id, "state": State.LINKING.value, "since_ms": 7})


CHANGES: dict[str, Callable[[Connection], object]] = {
    "an answer of support": _answer,
    "a vehicle": _vehicle,
    "a job": lambda connection: raise_job(connection, "home-1", "weak", "o", 5, find_person(connection, "sue")),
    "a name": lambda connection: connection.execute(update(units).values(name="Drive")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_page_shows_beside_the_unit_has_a_version_too(bridge: Bridge, ann: str, change: str) -> None:
    read = reading(bridge, ann)
    before = read()
    with bridge.app_state.database.writing() as connection:
        CHANGES[change](connection)
    after = read()
    assert before and after and before.versions != after.versions
    assert read() == after, "and it stays the same while nothing changes"


def test_a_session_that_is_over_has_no_version(bridge: Bridge, ann: str) -> None:
    with bridge.app_state.database.reading() as connection:
        assert versions_of(connection, "home-1", ann, bridge.clock.now_ms()).viewer is not None
        assert versions_of(connection, "home-1", ann, 2**62).viewer is None
        assert versions_of(connection, "home-9", "nobody", 0) == Versions(None, None)


def test_more_units_than_one_statement_takes_are_looked_at(bridge: Bridge) -> None:
    names = [f"cp-{number}" for number in range(AT_ONCE + 1)]
    with bridge.app_state.database.writing() as connection:
        for name in names:
            add_unit(connection, name, 0)
        assert set(unit_versions(connection, names)) == set(names)


def test_nobody_watching_means_no_query(bridge: Bridge, ann: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    ask = StoreLooks._ask

    def counted(self: StoreLooks, unit_ids: set[str], sessions: set[str]) -> object:
        nonlocal asked
        asked += 1
        return ask(self, unit_ids, sessions)

    monkeypatch.setattr(StoreLooks, "_ask", counted)

    async def run() -> None:
        watched = StoreLooks(bridge.app_state)
        with watched.watch("home-1", ann, Versions()) as changed:
            async with asyncio.timeout(DEADLINE_S):
                await changed
        assert watched._looking
        async with asyncio.timeout(DEADLINE_S):
            await watched._looking
        before = asked
        await asyncio.sleep(0.02)  # twenty looks
        assert asked == before > 0

    asyncio.run(run())


def test_a_store_that_is_away_ends_no_stream_and_what_it_missed_comes_when_it_is_back(
    bridge: Bridge, ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, read = StoreLooks._ask, reading(bridge, ann)
    is_away = False

    def may_fail(self: StoreLooks, unit_ids: set[str], sessions: set[str]) -> object:
        if is_away:
            raise OperationalError("SELECT", {}, OSError("away"))
        return ask(self, unit_ids, sessions)

    def read_or_fail() -> Stored | None:
        if is_away:
            raise OperationalError("SELECT", {}, OSError("away"))
        return read()

    monkeypatch.setattr(StoreLooks, "_ask", may_fail)
    monkeypatch.setattr(stream, "ALIVE_S", 0.05)

    async def run() -> None:
        nonlocal is_away
        turn = Turn(Looks(bridge.app_state))
        events = stream.changes(
            bridge.app_state, read_or_fail, lambda _unit, point: f"state {point.heartbeat.state}", "", turn, ann
        )
        heard = [await anext(events) for _ in range(2)]
        assert "data: state None" in heard[1]
        is_away = True
        store_heartbeat(bridge)
        for _ in range(3):
            assert (await anext(events)).startswith("event: alive\n")
        assert turn.is_store_away and bridge.counter("missed_looks") > 0
        is_away = False
        async with asyncio.timeout(DEADLINE_S):
            while not (event := await anext(events)).startswith("id: "):
                pass
        assert "data: state C2" in event

    asyncio.run(run())


def test_content_that_the_store_did_not_let_make_is_made_later(bridge: Bridge, ann: str) -> None:
    tries = 0

    def render(_unit: object, _point: object) -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OperationalError("SELECT", {}, OSError("away"))
        return "board"

    async def run() -> None:
        turn = Turn(Looks(bridge.app_state))
        events = stream.changes(bridge.app_state, reading(bridge, ann), render, "", turn, ann)
        async with asyncio.timeout(DEADLINE_S):
            while (event := await anext(events)).startswith("event: alive\n"):
                pass
        assert "data: board" in event and tries == 2

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "ALIVE_S", 0.05)
        patch.setattr(looks, "FRESH_S", 0.01)
        asyncio.run(run())
