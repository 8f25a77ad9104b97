"""The live stream of a browser's open dashboards, as server-sent events.

An event is sent when the content of the page has changed: after a contact or a heartbeat, but also when a unit becomes silent,
which no message announces (looks.py). Some content is only in the store: messages that other processes received, the driver's
vehicles, answers of support and the state of a job. The store is polled equally often (store_looks.py), and read again with
every keep-alive. The event's id is a mark of the state itself. A page that reconnects with its Last-Event-ID is therefore sent
what it missed, also by another process of the bridge, and nothing if it missed nothing.

While the store does not answer, an open stream keeps its content and sends keep-alives. A new stream ends with an error then,
and the browser reconnects.
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

ALIVE = "alive"  # name of a keep-alive event; its data is the time of day
GONE = "gone"  # name of the last event of a charge point that the person may no longer see
# Name of the last event of a stream that newer ones of the account have replaced. The browser reconnects after a minute.
CLOSED = "closed"
MOST = 50  # charge points in one stream
ALIVE_S = 15.0  # interval of keep-alive events, by which the page knows that it is connected
PAUSE_S = 0.5  # after an event: at most two per second, however often a unit sends
SETTLE_S = 0.1  # for a message to be committed to the store as well (the recorder batches for 5 ms)
# Suffix of the mark of content that was not committed yet. A page that reconnects with it is sent everything again.
UNSTORED = "+"
STORED_LOOKS = (
    10  # one after each pause, at a store that is slow: then the page is sent once more, with what that knows
)


class Stored(NamedTuple):
    """What the page shows from the store."""

    unit: Unit
    stored_mark: str  # of the other content from the store
    versions: Versions  # of the same snapshot


async def changes(
    app_state: AppState,
    read: Callable[[], Stored | None],
    render: Callable[[Unit, ChargePoint], str],
    seen: str,
    turn: Turn,
    viewer: str,
    of: str = "",
) -> AsyncIterator[str]:
    """Yield the events. The stream ends when `read` returns None, because the viewer has logged out or may no longer see the
    unit, or when the turn is closed.

    `seen` is the mark of what the page shows already. `viewer` is a session; what is rendered for it is shared by all its
    pages. `of` is a prefix of each id, for a stream with several charge points.
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
    """Return the content of the store, or `known` while the store does not answer."""
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
    """Merge the events of several charge points. The end of each charge point's stream is an event of its own. Ends when all
    have ended, or when the turn is closed."""
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
    """Format an event. htmx swaps the content of events without a name into the page."""
    data = "".join(f"data: {line}\n" for line in content.splitlines())
    return (f"event: {name}\n" if name else "") + f"id: {mark}\n{data}\n"
