"""The live stream of one open dashboard, as server-sent events.

Each open page looks twice a second at the state in memory, which costs microseconds and needs no list of listeners.
An event goes out when what the page would say has changed: a contact, a heartbeat, and also silence, which no message
announces. The driver's vehicles are in the store alone, which is read again with every sign of life, and when it has a newer
heartbeat. The event's id is the mark of the state itself, so a page that comes back with its Last-Event-ID is sent what
it missed, even by a bridge that has been restarted meanwhile, and nothing when it missed nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from cloud_bridge.app_state import AppState
from cloud_bridge.store.units import Unit
from cloud_bridge.web.presentation.view import ChargePoint, charge_point, is_outdated, mark
from cloud_bridge.web.presentation.words import time_of_day

ALIVE = "alive"  # the name of a sign of life; its content is the time of day
LOOK_S = 0.5
LOOKS = 30  # then another sign of life, so that the page knows that it is connected
SETTLE_S = 0.1  # until what was heard is in the store too (the recorder gathers for 5 ms)


class Stored(NamedTuple):
    """What the page shows that the store knows."""

    unit: Unit
    vehicles_mark: str


async def changes(
    app_state: AppState, read: Callable[[], Stored | None], render: Callable[[Unit, ChargePoint], str], seen: str
) -> AsyncIterator[str]:
    """The events, until `read` gives nothing any more: the viewer has logged out, or the unit is no longer theirs.

    `seen` is the mark of what the page shows already.
    """
    accesses = app_state.live.accesses
    while (stored := await asyncio.to_thread(read)) is not None:
        yield event(time_of_day(app_state.clock.now_ms(), stored.unit.time_zone), seen, ALIVE)
        for _ in range(LOOKS):
            may_differ = accesses != app_state.live.accesses or is_outdated(app_state, stored.unit)
            accesses = app_state.live.accesses
            if may_differ and (stored := await asyncio.to_thread(read)) is None:
                return
            point = charge_point(app_state, stored.unit)
            if mark(point, stored.vehicles_mark) != seen:
                await asyncio.sleep(SETTLE_S)
                if (stored := await asyncio.to_thread(read)) is None:  # another process may have released the unit
                    return
                point = charge_point(app_state, stored.unit)
                seen = mark(point, stored.vehicles_mark)
                yield event(await asyncio.to_thread(render, stored.unit, point), seen)
            await asyncio.sleep(LOOK_S)


def event(content: str, mark: str, name: str = "") -> str:
    """Without a name, htmx puts the content where the page has it."""
    data = "".join(f"data: {line}\n" for line in content.splitlines())
    return (f"event: {name}\n" if name else "") + f"id: {mark}\n{data}\n"
