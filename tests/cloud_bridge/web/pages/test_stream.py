"""Does an open page get every update once, and nothing else?"""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from cloud_bridge.app_state import AppState
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.page_versions import versions_of
from cloud_bridge.store.people import Person, Role
from cloud_bridge.store.recorder import Recorder
from cloud_bridge.store.units import Unit as StoredUnit
from cloud_bridge.store.units import visible_unit
from cloud_bridge.web.pages.driver import looks, store_looks, stream
from cloud_bridge.web.pages.driver.looks import MOST_OF_ACCOUNT, Looks, Turn
from cloud_bridge.web.pages.driver.stream import UNSTORED, Stored
from cloud_bridge.web.presentation.view import ChargePoint, charge_point, mark
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import DEADLINE_S, Bridge, Unit, sample

HEARTBEAT = "cp/home-1/heartbeat"
ANN = Person(1, "ann", Role.OPERATOR)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "LOOK_S", 0)
    monkeypatch.setattr(store_looks, "LOOK_S", 0)
    monkeypatch.setattr(stream, "PAUSE_S", 0)
    monkeypatch.setattr(stream, "SETTLE_S", 0)
    monkeypatch.setattr(stream, "ALIVE_S", 0.05)


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    return Unit(bridge, "home-1", bridge.add_unit("home-1").secret).connect()


def stored(bridge: Bridge, stored_mark: str = "") -> Stored | None:
    with bridge.app_state.database.reading() as connection:
        unit = visible_unit(connection, ANN, "home-1")
        versions = versions_of(connection, "home-1", "ann", 0)
    return None if unit is None else Stored(unit, stored_mark, versions)


def mark_now(bridge: Bridge) -> str:
    now = stored(bridge)
    assert now
    return mark(charge_point(bridge.app_state, now.unit), now.stored_mark)


def listening(bridge: Bridge, seen: str, read: Callable[[], Stored | None] | None = None) -> AsyncIterator[str]:
    return stream.changes(
        bridge.app_state,
        read or (lambda: stored(bridge)),
        lambda _unit, point: point.heartbeat.state or "?",
        seen,
        Turn(Looks(bridge.app_state)),
        "ann",
    )


def test_a_page_that_shows_all_hears_only_signs_of_life(bridge: Bridge, unit: Unit) -> None:
    async def run() -> None:
        events = listening(bridge, mark_now(bridge))
        for _ in range(2):
            assert (await anext(events)).startswith("event: alive\n")

    asyncio.run(run())


def test_a_message_is_an_event_with_the_mark_of_what_it_shows(bridge: Bridge, unit: Unit) -> None:
    async def run() -> None:
        events = listening(bridge, mark_now(bridge))
        await anext(events)
        unit.publish(HEARTBEAT, sample("heartbeat-charging"))
        told = await anext(events)
        assert told.replace("+\n", "\n") == f"id: {mark_now(bridge)}\ndata: C2\n\n", "+: the store did not know it yet"

    asyncio.run(run())


def test_what_a_slow_store_did_not_know_yet_is_sent_once_it_does(
    bridge: Bridge, unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "It is back" depends on the stored silence."""

    async def run() -> list[str]:
        waiting = iter([1, 1, 0])
        monkeypatch.setattr(Recorder, "waiting", property(lambda _self: next(waiting, 0)))
        events = listening(bridge, "what it showed before")
        found = [await anext(events) for _ in range(4)]
        await events.aclose()  # type: ignore[attr-defined]  # an asynchronous generator
        return found

    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    bridge.until(lambda: bridge.read("home-1")["last_contact"], "heard")
    alive, first, again, alive_again = asyncio.run(run())
    assert first.replace(UNSTORED, "", 1) == again and f"id: {mark_now(bridge)}\n" in again
    assert f"id: {mark_now(bridge)}{UNSTORED}\n" in first, "a page that comes back with it is sent the whole again"
    assert "event: alive" in alive and "event: alive" in alive_again


def test_what_was_made_before_the_store_knew_is_not_sent_again(
    bridge: Bridge, unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is rendered for a browser is kept for a second, and the page asks again after half a second."""
    made = 0

    def render(_unit: StoredUnit, _point: ChargePoint) -> str:
        nonlocal made
        made += 1
        return f"made {made}"

    async def run() -> list[str]:
        waiting = iter([1, 1, 0])
        monkeypatch.setattr(Recorder, "waiting", property(lambda _self: next(waiting, 0)))
        turn = Turn(Looks(bridge.app_state))
        events = stream.changes(bridge.app_state, lambda: stored(bridge), render, "what it showed before", turn, "ann")
        found = [await anext(events) for _ in range(3)]
        await events.aclose()  # type: ignore[attr-defined]  # an asynchronous generator
        return found

    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    bridge.until(lambda: bridge.read("home-1")["last_contact"], "heard")
    _, first, again = asyncio.run(run())
    assert "made 1" in first and "made 2" in again


def test_silence_is_an_event_though_nobody_sent_anything(bridge: Bridge, unit: Unit) -> None:
    async def run() -> None:
        unit.publish(HEARTBEAT, sample("heartbeat-idle"))
        events = listening(bridge, mark_now(bridge))
        await anext(events)
        bridge.clock.advance(30 * MINUTE_MS + 1)
        assert ".silent.\n" in await anext(events)

    asyncio.run(run())


def test_a_page_that_comes_back_hears_what_it_missed(bridge: Bridge, unit: Unit) -> None:
    async def run() -> None:
        last_event_id = mark_now(bridge)
        unit.publish(HEARTBEAT, sample("heartbeat-idle"))
        events = listening(bridge, last_event_id)
        await anext(events)
        assert (await anext(events)).startswith("id: ")

    asyncio.run(run())


def test_what_happens_to_a_vehicle_is_an_event_at_the_next_sign_of_life(bridge: Bridge, unit: Unit) -> None:
    async def run() -> None:
        answers = iter([stored(bridge), *[stored(bridge, "lost")] * 2])  # read again before it is shown
        events = listening(bridge, mark_now(bridge), lambda: next(answers))
        heard = [(await anext(events)).split(":")[0] for _ in range(3)]
        assert heard == ["event", "event", "id"]

    asyncio.run(run())


def test_the_stream_ends_with_the_session(bridge: Bridge, unit: Unit) -> None:
    async def run() -> None:
        answers = iter([stored(bridge), None])
        events = listening(bridge, mark_now(bridge), lambda: next(answers))
        assert [event.split("\n")[0] async for event in events] == ["event: alive"]

    asyncio.run(run())


def test_a_unit_that_another_process_has_released_is_shown_no_more(bridge: Bridge, unit: Unit) -> None:
    """Messages of the new owner's unit must not reach the page that the former owner left open."""

    async def run() -> None:
        answers = iter([stored(bridge), None])
        events = listening(bridge, mark_now(bridge), lambda: next(answers))
        await anext(events)
        unit.publish(HEARTBEAT, sample("heartbeat-charging"))
        assert [event async for event in events] == []

    asyncio.run(run())


def test_lines_stay_lines() -> None:
    assert stream.event("a\nb\r\nc", "7") == "id: 7\ndata: a\ndata: b\ndata: c\n\n"


def test_several_charge_points_are_one_stream(bridge: Bridge, unit: Unit) -> None:
    async def run() -> None:
        quiet, ended = listening(bridge, mark_now(bridge)), iter([stored(bridge), None])
        ends = stream.changes(
            bridge.app_state,
            lambda: next(ended),
            lambda _unit, _point: "board",
            mark_now(bridge),
            Turn(Looks(bridge.app_state)),
            "ann",
            "b:",
        )
        events = stream.together({"a:": quiet, "b:": ends}, Turn(Looks(bridge.app_state)))
        heard: list[str] = []
        while not heard or not heard[-1].startswith("event: gone"):
            heard.append(await anext(events))
        assert heard[-1] == "event: gone\nid: b:\n\n"
        assert any(one.startswith("event: alive\nid: b:") for one in heard)
        assert (await anext(events)).startswith("event: alive\n"), "the other goes on"
        await events.aclose()  # type: ignore[attr-defined]

    asyncio.run(run())


def test_an_error_of_one_ends_the_stream_of_all(bridge: Bridge, unit: Unit) -> None:
    """The browser requests all again."""

    def broken() -> Stored | None:
        raise TimeoutError

    async def run() -> None:
        turn = Turn(Looks(bridge.app_state))
        one = stream.changes(bridge.app_state, broken, lambda _unit, _point: "board", "", turn, "ann")
        events = stream.together({"a:": listening(bridge, mark_now(bridge)), "b:": one}, turn)
        with pytest.raises(TimeoutError):
            async for _ in events:
                pass
        async with asyncio.timeout(DEADLINE_S):  # nobody waits any more: the look at the store ends by itself
            await asyncio.gather(*asyncio.all_tasks().difference({asyncio.current_task()}))

    asyncio.run(run())


def test_the_stream_of_all_is_of_theirs_alone(bridge: Bridge, unit: Unit) -> None:
    """For another person's unit, it only says that there is nothing to see, as for a unit that does not exist."""
    eve = Visitor(bridge, "eve", Role.DRIVER)
    for unit_id in ("home-1", "no-such-unit", "", "a" * 99):
        answer = eve.client.get("/live", params={"of": f"{unit_id}:1.2"})
        assert (answer.status_code, answer.text) == (200, f"event: gone\nid: {unit_id}:\n\n")
    assert eve.client.get("/live", params={"of": ["x:"] * (stream.MOST + 1)}).status_code == 404
    assert eve.client.get("/live").status_code == 404
    assert bridge.stranger().get("/live?of=home-1:", headers={"HX-Request": "true"}).status_code == 401


def test_of_too_many_streams_of_one_account_the_oldest_is_closed(bridge: Bridge, unit: Unit) -> None:
    """It is told so, and does not come back at once. Another account keeps its streams."""

    async def run() -> None:
        all_looks = Looks(bridge.app_state)

        async def live(person_id: int) -> AsyncIterator[str]:
            with all_looks.turn(person_id) as turn:
                one = stream.changes(
                    bridge.app_state,
                    lambda: stored(bridge),
                    lambda _unit, _point: "board",
                    mark_now(bridge),
                    turn,
                    "ann",
                    "a:",
                )
                async for event in stream.together({"a:": one}, turn):
                    yield event

        other = live(2)
        await anext(other)
        opened = [live(1) for _ in range(MOST_OF_ACCOUNT + 2)]
        for one in opened:
            assert (await anext(one)).startswith("event: alive\n")
        for one in opened[:2]:
            assert [event async for event in one][-1] == "event: closed\nid: a:\n\n"
        for one in (other, *opened[2:]):
            assert (await anext(one)).startswith("event: alive\n")
            await one.aclose()  # type: ignore[attr-defined]
        assert bridge.counter("closed_streams") == 2
        assert not all_looks._turns

    asyncio.run(run())


def test_all_streams_share_one_look_at_a_charge_point(
    bridge: Bridge, unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing changes at first; then all of them get a change."""
    looked: list[str] = []
    some_looks = asyncio.Event()

    def counted(app_state: AppState, unit: StoredUnit) -> ChargePoint:
        looked.append(unit.id)
        if len(looked) == 5:
            some_looks.set()
        return charge_point(app_state, unit)

    monkeypatch.setattr(looks, "charge_point", counted)
    monkeypatch.setattr(looks, "LOOK_S", 0.02)
    monkeypatch.setattr(stream, "ALIVE_S", DEADLINE_S)

    def state(_unit: StoredUnit, point: ChargePoint) -> str:
        return str(point.heartbeat.state)

    async def run() -> None:
        turn = Turn(Looks(bridge.app_state))
        opened = [
            stream.changes(bridge.app_state, lambda: stored(bridge), state, mark_now(bridge), turn, str(number))
            for number in range(50)
        ]
        for one in opened:
            assert (await anext(one)).startswith("event: alive\n")
        changes = asyncio.gather(*(anext(one) for one in opened))
        async with asyncio.timeout(DEADLINE_S):
            await some_looks.wait()
            assert len(looked) < 10, "not one for each stream"
            unit.publish(HEARTBEAT, sample("heartbeat-charging"))
            assert all("data: C2" in event for event in await changes)
        for one in opened:
            await one.aclose()  # type: ignore[attr-defined]

    asyncio.run(run())


def test_a_hundred_streams_make_what_they_send_one_after_the_other(bridge: Bridge) -> None:
    """Otherwise, a message of one charge point would take all processors from other requests."""
    open_looks, making, most = Looks(bridge.app_state), 0, 0

    def make(number: int) -> int:
        nonlocal making, most
        making += 1
        most = max(most, making)
        sum(range(20_000))  # long enough for another thread to run
        making -= 1
        return number

    async def run() -> list[int]:
        return await asyncio.gather(*(Turn(open_looks).in_turn(make, number) for number in range(100)))

    assert asyncio.run(run()) == list(range(100))
    assert most == 1


def test_all_pages_of_one_browser_are_sent_what_was_made_once(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "FRESH_S", 0.05)
    open_looks, made = Looks(bridge.app_state), []

    def make(viewer: str, mark: str) -> str:
        made.append((viewer, mark))
        return f"{viewer} {mark}"

    async def run() -> None:
        async def shown(viewer: str, mark: str) -> str:
            return await Turn(open_looks).made(viewer, mark, make, viewer, mark)

        keys = [("ann", "1"), ("ben", "1"), ("ann", "2")]
        told = await asyncio.gather(*(shown(*key) for key in keys * 10))
        assert told == ["ann 1", "ben 1", "ann 2"] * 10
        assert sorted(made) == sorted(keys)
        async with asyncio.timeout(DEADLINE_S):
            while made.count(("ann", "1")) == 1:  # an old one is rendered again
                await shown("ann", "1")
                await asyncio.sleep(0)

    asyncio.run(run())


def test_one_stream_whose_content_cannot_be_made_keeps_no_other_waiting(bridge: Bridge) -> None:
    open_looks = Looks(bridge.app_state)

    def fail() -> str:
        raise TimeoutError

    async def run() -> str:
        with pytest.raises(TimeoutError):
            await Turn(open_looks).made("ann", "1", fail)
        return await Turn(open_looks).made("ann", "2", lambda: "board")

    assert asyncio.run(run()) == "board"
