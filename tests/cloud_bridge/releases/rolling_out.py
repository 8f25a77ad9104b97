"""A store with a release, its roll-out, and units that report."""

import json
from typing import Any

from sqlalchemy import Connection, select, update

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.releases.manifest import name_of
from cloud_bridge.releases.roll_out_states import UnitState
from cloud_bridge.store import releases, roll_out_start
from cloud_bridge.store.record import record
from cloud_bridge.store.release_tables import roll_out_units
from cloud_bridge.store.roll_out_start import Choice, ChosenBy, Wish
from cloud_bridge.store.tables import units
from cloud_bridge.store.units import add_unit
from tests.cloud_bridge.recording import inbound
from tests.cloud_bridge.releases.making import Made, release
from tests.cloud_bridge.running import START_MS

MADE = release()
NAME = name_of(MADE.whole)
ALL = Choice(ChosenBy.ALL)


def add_release(connection: Connection, made: Made = MADE) -> str:
    """Add a release; return its name."""
    releases.add(connection, made.manifest, made.whole, made.image, START_MS)
    return name_of(made.whole)


def add_heard(connection: Connection, *unit_ids: str, at_ms: int = START_MS, board: str | None = "tcall") -> None:
    """Add units that were heard at `at_ms`, with this board; None: the board is unknown."""
    for unit_id in unit_ids:
        add_unit(connection, unit_id, START_MS - HOUR_MS)
    record(connection, [inbound(unit_id, at_ms) for unit_id in sorted(unit_ids)])
    connection.execute(update(units).where(units.c.id.in_(unit_ids)).values(board=board))


def start(connection: Connection, choice: Choice = ALL, at_ms: int = START_MS, **more: Any) -> int:
    """Start a roll-out of the newest release; return its number."""
    newest = releases.list_releases(connection)[0].version
    return roll_out_start.start(connection, Wish(newest, choice, HOUR_MS, **more), at_ms)


def say(connection: Connection, unit_id: str, kind: str, at_ms: int = START_MS, **said: Any) -> None:
    payload = json.dumps(said, separators=(",", ":")).encode()
    record(connection, [inbound(unit_id, at_ms, kind, payload)])


def tell(connection: Connection, unit_id: str, result: str, at_ms: int = START_MS, why: str | None = None) -> None:
    """Report an `update` event about MADE."""
    details = {"v": str(MADE.manifest.version), "r": result} | ({} if why is None else {"w": why})
    say(connection, unit_id, "event", at_ms, k="update", d=details)


def state_of(connection: Connection, unit_id: str) -> tuple[UnitState, str]:
    """Return the unit's state and reason in its newest roll-out."""
    column = roll_out_units.c
    query = select(column.state, column.why).where(column.unit_id == unit_id, column.is_newest)
    state, why = connection.execute(query).one()
    return UnitState(state), why
