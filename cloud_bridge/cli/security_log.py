"""Entries in the security log, made by commands."""

from sqlalchemy import Connection

from cloud_bridge.clock import SystemClock
from cloud_bridge.store.security_events import Kind, SecurityEvent, add_security_events


def record(connection: Connection, kind: Kind, about: str = "", person_id: int | None = None) -> None:
    """Add an entry, in the transaction of the change that it reports. `person_id` is the person whom the change concerns."""
    add_security_events(connection, [SecurityEvent(SystemClock().now_ms(), kind, None, person_id, about)])
