"""Which firmware the units run and which modem they have: each tells both once a boot, in an event."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from cloud_bridge.store.tables import events, units
from cloud_bridge.wire import BadPayload, Event, decode

MAX_CHARACTERS = 40  # that are shown


def firmware_versions(connection: Connection, unit_ids: Sequence[str]) -> dict[str, str]:
    """Version by unit id. A unit is left out whose last boot told none, or was before the oldest event that is kept."""
    return _last_told(connection, unit_ids, "boot", "v")


def modem_models(connection: Connection, unit_ids: Sequence[str]) -> dict[str, str]:
    """The modem's own name for its model, by unit id. A unit is left out as by `firmware_versions`."""
    return _last_told(connection, unit_ids, "modem", "model")


def _last_told(connection: Connection, unit_ids: Sequence[str], kind: str, key: str) -> dict[str, str]:
    """One detail of the last event of a kind, by unit id."""
    last = (
        select(events.c.payload)
        .where(events.c.unit_id == units.c.id, events.c.kind == kind)
        .order_by(events.c.received_ms.desc(), events.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = {}
    for unit_id, payload in connection.execute(select(units.c.id, last).where(units.c.id.in_(unit_ids))):
        text = _text(payload, key)
        if text is not None:
            found[unit_id] = text
    return found


def _text(payload: str | None, key: str) -> str | None:
    if payload is None:
        return None
    try:
        event = decode("event", payload.encode())
    except BadPayload:  # written by another version of the bridge
        return None
    text = event.details.get(key) if isinstance(event, Event) and event.details else None
    return text[:MAX_CHARACTERS] if isinstance(text, str) else None
