"""Which firmware the units run, which modem they have and how often their contactor has closed: told in events, once a boot
or a day.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, ScalarSelect, Select, Subquery, select

from cloud_bridge.store.tables import events, units
from cloud_bridge.wire import MAX_COUNT, BadPayload, Event, decode

MAX_CHARACTERS = 40  # that are shown


class Told(NamedTuple):
    """By one unit; None where it told none, or before the oldest event that is kept."""

    firmware: str | None  # the version, as of its last boot
    modem: str | None  # the modem's own name for its model, likewise
    closings: int | None  # of the contactor in the unit's life, as of its last daily report


NOTHING = Told(None, None, None)


def told_by(connection: Connection, unit_id: str) -> Told:
    """By this unit."""
    return told_by_each(connection, select(units.c.id).where(units.c.id == unit_id)).get(unit_id, NOTHING)


def told_by_each(connection: Connection, unit_ids: Select[Any]) -> dict[str, Told]:
    """By each of the units that the query finds, by unit id."""
    few = unit_ids.subquery()
    last = (_last(few, "boot"), _last(few, "modem"), _last(few, "day"))
    return {
        unit_id: Told(_text(_detail(boot, "v")), _text(_detail(modem, "model")), _count(_detail(day, "closings")))
        for unit_id, boot, modem, day in connection.execute(select(few.c.id, *last))
    }


def _last(few: Subquery, kind: str) -> ScalarSelect[Any]:
    """The last event of a kind, as the unit wrote it."""
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
