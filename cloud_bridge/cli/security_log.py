"""What is typed at the command line, into the security log."""

from sqlalchemy import Connection

from cloud_bridge.clock import SystemClock
from cloud_bridge.store.security_events import Kind, SecurityEvent, add_security_events


def record(connection: Connection, kind: Kind, about: str = "", person_id: int | None = None) -> None:
    """In the transaction of what it tells of. `person_id` is whom it was done to."""
    add_security_events(connection, [SecurityEvent(SystemClock().now_ms(), kind, None, person_id, about)])
