"""The live stream of a browser's open dashboards, as server-sent events.

An event goes out when what the page would say has changed: a contact, a heartbeat, and also silence, which no message
announces (looks.py). What other processes have heard, the driver's vehicles, answers of support and how far a job is are in
the store alone, which is looked at as often (store_looks.py), and read again with every sign of life. The event's id is the
mark of the state itself, so a page that comes back with its Last-Event-ID is sent what it missed, even by another process of
the bridge, and nothing when it missed nothing.

While the store does not answer, an open stream shows what it knew and gives signs of life. One that begins then ends with an
error, and the browser asks again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.app_state import AppState
from cloud_bridge.store.page_versions import Versions
from cloud_bridge.store.units import Unit
from cloud_bridge.web.pages.driver.looks import Turn
from cloud_bridge.web.presentation.view import ChargePoint, charge_point, is_outdated, mark
from cloud_bridge.web.presentation.words import time_of_day
from cloud_bridge.words.language import language_now

ALIVE = "alive"  # the name of a sign of life; its content is the time of day
GONE = "gone"  # of the last event of a charge point: there is nothing more to see for this person
CLOSED = "closed"  # of the last event of a stream: the account has opened newer ones. Come back in a minute
MOST = 50  # charge points of one stream
ALIVE_S = 15.0  # then another sign of life, so that the page knows that it is connected
PAUSE_S = 0.5  # after an event: no more than two in a second, whatever a unit sends
SETTLE_S = 0.1  # until what was heard is in the store too (the recorder gathers for 5 ms)
# Behind the mark of what the store did not know yet: a page that comes back with it is sent the whole again.
UNSTORED = "+"
STORED_LOOKS = (
    10  # one after each pause, at a store that is slow: then the page is sent once more, with what that knows
)


class Stored(NamedTuple):
    """What the page shows that the store knows."""

    unit: Unit
    stored_mark: str  # of what else is in the store alone
    versions: Versions  # of the same view


async def changes(
    app_state: AppState,
    read: Callable[[], Stored | None],
    render: Callable[[Unit, ChargePoint], str],
    seen: str,
    turn: Turn,
    viewer: str,
    of: str = "",
) -> AsyncIterator[str]:
    """The events, until `read` gives nothing any more: the viewer has logged out, or the unit is no longer theirs. Or until
    the turn is closed.

    `seen` is the mark of what the page shows already. What is rendered for `viewer`, a session, is the same for all its pages.
    `of` stands before the mark in each id, for a stream of several.
    """
    loop = asyncio.get_running_loop()
    stored = await turn.in_turn(read)
    while stored is not None:
        yield event(time_of_day(app_state.clock.now_ms(), stored.unit.time_zone), of + seen, ALIVE)
        alive_until_s, is_newer = loop.time() + ALIVE_S, False
        while not turn.is_closed:
            if is_newer or is_outdated(app_state, stored.unit):
                stored = await _read_again(app_state, turn, read, stored)
                if stored is None:
                    return
            point = charge_point(app_state, stored.unit)
            if mark(point, stored.stored_mark) != seen and not turn.is_store_away:
                await asyncio.sleep(SETTLE_S)
                stored = await _read_again(app_state, turn, read, stored)
                if stored is None:  # another process may have released the unit
                    return
                point = charge_point(app_state, stored.unit)
                new_mark, is_stored = mark(point, stored.stored_mark), not app_state.recorder.waiting
                shown = new_mark if is_stored else new_mark + UNSTORED
                try:
                    content = await turn.made(
                        viewer, f"{language_now()} {stored.unit.id} {shown}", render, stored.unit, point
                    )
                except SQLAlchemyError:
                    app_state.counters.missed_looks += 1
                else:
                    seen = new_mark
                    yield event(content, of + shown)
                    await asyncio.sleep(PAUSE_S)
                    if not is_stored:
                        await _until_stored(app_state)
                        seen = ""
                    is_newer = False
                    continue
            left_s = alive_until_s - loop.time()
            if left_s <= 0:
                break
            is_newer = await turn.changed(stored.unit, mark(point, ""), viewer, stored.versions, left_s)
        if turn.is_closed:
            return
        stored = await _read_again(app_state, turn, read, stored)


async def _read_again(
    app_state: AppState, turn: Turn, read: Callable[[], Stored | None], known: Stored
) -> Stored | None:
    """What the store knows now; `known` while it does not answer."""
    if turn.is_store_away:
        return known
    try:
        return await turn.in_turn(read)
    except SQLAlchemyError:
        app_state.counters.missed_looks += 1
        return known


async def _until_stored(app_state: AppState) -> None:
    for _ in range(STORED_LOOKS):
        if not app_state.recorder.waiting:
            return
        await asyncio.sleep(PAUSE_S)


async def together(streams: Mapping[str, AsyncIterator[str]], turn: Turn) -> AsyncIterator[str]:
    """The events of several charge points as they come, each stream's end as an event of its own; until all have ended, or
    the turn is closed."""
    waiting = {_next_of(stream): of for of, stream in streams.items()}
    try:
        while waiting:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                of = waiting.pop(task)
                one = task.result()
                if one is None and turn.is_closed:
                    yield event("", of, CLOSED)
                    return
                if one is None:
                    yield event("", of, GONE)
                else:
                    waiting[_next_of(streams[of])] = of
                    yield one
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def _next_of(stream: AsyncIterator[str]) -> "asyncio.Task[str | None]":
    async def next_event() -> str | None:
        return await anext(stream, None)

    return asyncio.create_task(next_event())


def event(content: str, mark: str, name: str = "") -> str:
    """Without a name, htmx puts the content where the page has it."""
    data = "".join(f"data: {line}\n" for line in content.splitlines())
    return (f"event: {name}\n" if name else "") + f"id: {mark}\n{data}\n"
