"""Which firmware the units run, which modem they have and how often their contactor has closed. They tell it in events, once a
boot or a day; the version also in a heartbeat after it has changed.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from cloud_bridge.store.tables import events, units
from cloud_bridge.wire import MAX_COUNT, BadPayload, Event, decode

MAX_CHARACTERS = 40  # that are shown
SHOWN = 50  # versions; what strangers could make up is bounded


def firmware_versions(connection: Connection, unit_ids: Sequence[str]) -> dict[str, str]:
    """Version by unit id, as each has said last. A unit is left out that never told one."""
    query = select(units.c.id, units.c.firmware).where(units.c.id.in_(unit_ids), units.c.firmware.is_not(None))
    return {unit_id: version for unit_id, version in connection.execute(query)}


def count_versions(connection: Connection) -> list[tuple[str | None, int]]:
    """How many units run each version, most first; None: those that never told one."""
    query = select(units.c.firmware, func.count()).group_by(units.c.firmware)
    return [(version, count) for version, count in connection.execute(query.order_by(func.count().desc()).limit(SHOWN))]


def modem_models(connection: Connection, unit_ids: Sequence[str]) -> dict[str, str]:
    """The modem's own name for its model, by unit id. A unit is left out whose last word of it is
    older than the oldest event that is kept."""
    return _texts(_last_told(connection, unit_ids, "modem", "model"))


def contactor_closings(connection: Connection, unit_ids: Sequence[str]) -> dict[str, int]:
    """How often the contactor has closed in the unit's life, by unit id, as of its last daily report. A unit is left out
    that has sent none.
    """
    told = _last_told(connection, unit_ids, "day", "closings")
    return {unit_id: value for unit_id, value in told.items() if type(value) is int and 0 <= value <= MAX_COUNT}


def _last_told(connection: Connection, unit_ids: Sequence[str], kind: str, key: str) -> dict[str, Any]:
    """One detail of the last event of a kind, by unit id, as the unit wrote it."""
    last = (
        select(events.c.payload)
        .where(events.c.unit_id == units.c.id, events.c.kind == kind)
        .order_by(events.c.received_ms.desc(), events.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = connection.execute(select(units.c.id, last).where(units.c.id.in_(unit_ids)))
    return {unit_id: _detail(payload, key) for unit_id, payload in found if payload is not None}


def _detail(payload: str, key: str) -> Any:
    try:
        event = decode("event", payload.encode())
    except BadPayload:  # written by another version of the bridge
        return None
    return event.details.get(key) if isinstance(event, Event) and event.details else None


def _texts(told: dict[str, Any]) -> dict[str, str]:
    return {unit_id: text[:MAX_CHARACTERS] for unit_id, text in told.items() if isinstance(text, str)}
