"""Which firmware the units run: each tells it once, in the event of its boot."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from cloud_bridge.store.tables import events, units
from cloud_bridge.wire import BadPayload, Event, decode

MAX_VERSION = 40  # characters that are shown


def firmware_versions(connection: Connection, unit_ids: Sequence[str]) -> dict[str, str]:
    """Version by unit id. A unit is left out whose last boot told none, or was before the oldest event that is kept."""
    last_boot = (
        select(events.c.payload)
        .where(events.c.unit_id == units.c.id, events.c.kind == "boot")
        .order_by(events.c.received_ms.desc(), events.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = {}
    for unit_id, payload in connection.execute(select(units.c.id, last_boot).where(units.c.id.in_(unit_ids))):
        version = _version(payload)
        if version is not None:
            found[unit_id] = version
    return found


def _version(payload: str | None) -> str | None:
    if payload is None:
        return None
    try:
        event = decode("event", payload.encode())
    except BadPayload:  # written by another version of the bridge
        return None
    version = event.details.get("v") if isinstance(event, Event) and event.details else None
    return version[:MAX_VERSION] if isinstance(version, str) else None
