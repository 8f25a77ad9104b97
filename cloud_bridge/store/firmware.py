"""Firmware version, modem and contactor closings of units, from their events: once after a boot or once a day. The
version also comes in a heartbeat after it has changed.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, ScalarSelect, Select, Subquery, bindparam, delete, func, select

from cloud_bridge.store.tables import events, firmware_counts, units
from cloud_bridge.store.units import count_units
from cloud_bridge.store.upsert import insert_into
from cloud_bridge.wire import MAX_COUNT, BadPayload, Event, decode

MAX_CHARACTERS = 40  # shown of a text
SHOWN = 50  # versions


class Told(NamedTuple):
    """What a unit has reported; None for what it has not. Modem and contactor are known only while their events are
    kept."""

    firmware: str | None  # version
    board: str | None
    modem: str | None  # model, as the modem names it, from the last boot
    closings: int | None  # of the contactor since it was new, from the last daily report
    air_bytes: int | None  # mobile data of one day, from that report


NOTHING = Told(None, None, None, None, None)


def firmware_versions(connection: Connection, unit_ids: Sequence[str]) -> dict[str, str]:
    """Return the last reported version by unit id. Units that have reported none are left out."""
    query = select(units.c.id, units.c.firmware).where(units.c.id.in_(unit_ids), units.c.firmware.is_not(None))
    return {unit_id: version for unit_id, version in connection.execute(query)}


def count_versions(connection: Connection) -> list[tuple[str | None, int]]:
    """Return the number of units by version, most first; None for units that have reported none. The counts are stored,
    so no unit is read."""
    column = firmware_counts.c
    query = select(column.version, column.units).order_by(column.units.desc(), column.version).limit(SHOWN)
    found: list[tuple[str | None, int]] = [(version, count) for version, count in connection.execute(query)]
    told = connection.execute(select(func.coalesce(func.sum(column.units), 0))).scalar_one()
    untold = count_units(connection) - int(told)
    return sorted([*found, *([(None, untold)] if untold > 0 else [])], key=lambda row: -row[1])


def count_changes(connection: Connection, changes: Iterable[tuple[str | None, str | None]]) -> None:
    """Update the counts for units that change from one version to another; None for no version. Call this in the
    transaction that changes the units."""
    counts: Counter[str] = Counter()
    for was, now in changes:
        if was is not None:
            counts[was] -= 1
        if now is not None:
            counts[now] += 1
    changed = [{"version": version, "units": count} for version, count in sorted(counts.items()) if count]
    if not changed:
        return
    column = firmware_counts.c
    statement = insert_into(connection.dialect.name, firmware_counts)
    more = {"units": column.units + statement.excluded.units}
    connection.execute(statement.on_conflict_do_update(index_elements=["version"], set_=more), changed)
    nobody = column.version.in_([row["version"] for row in changed]) & (column.units <= 0)
    connection.execute(delete(firmware_counts).where(nobody))


def told_by(connection: Connection, unit_id: str) -> Told:
    """Return what this unit has reported."""
    row = connection.execute(_of_one(), {"unit": unit_id}).one_or_none()
    return NOTHING if row is None else _told(*row[1:])


def told_by_each(connection: Connection, unit_ids: Select[Any]) -> dict[str, Told]:
    """Return what the units of the query have reported, by unit id."""
    return {row[0]: _told(*row[1:]) for row in connection.execute(_of_each(unit_ids))}


@cache
def _of_one() -> Select[Any]:
    return _of_each(select(units.c.id).where(units.c.id == bindparam("unit")))


def _of_each(unit_ids: Select[Any]) -> Select[Any]:
    few = unit_ids.subquery()
    columns = (units.c.id, units.c.firmware, units.c.board, _last(few, "modem"), _last(few, "day"))
    return select(*columns).join(few, few.c.id == units.c.id)


def _told(firmware: str | None, board: str | None, modem: str | None, day: str | None) -> Told:
    closings, air_bytes = (_count(_detail(day, key)) for key in ("closings", "air"))
    return Told(firmware, board, _text(_detail(modem, "model")), closings, air_bytes)


def _last(few: Subquery, kind: str) -> ScalarSelect[Any]:
    """Return a subquery for the payload of a unit's last event of a kind."""
    return (
        select(events.c.payload)
        .where(events.c.unit_id == few.c.id, events.c.kind == kind)
        .order_by(events.c.received_ms.desc(), events.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _detail(payload: str | None, key: str) -> Any:
    if payload is None:
        return None
    try:
        event = decode("event", payload.encode())
    except BadPayload:  # written by another version of the bridge
        return None
    return event.details.get(key) if isinstance(event, Event) and event.details else None


def _text(value: Any) -> str | None:
    return value[:MAX_CHARACTERS] if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= MAX_COUNT else None
