"""Entries in the security log, made from requests."""

from fastapi import Request

from cloud_bridge.store.access import Asker
from cloud_bridge.store.security_events import Kind

NOWHERE = "unknown"  # the server provides no address of the client


def note(request: Request, kind: Kind, asker: Asker | None = None, about: str = "") -> None:
    """Log an event that happened now. `about` must contain neither a secret nor text typed by an unauthenticated client."""
    person_id = None if asker is None else asker.id
    request.app.state.bridge.security_log.note(kind, address_of_client(request), person_id, about)


def address_of_client(request: Request) -> str:
    """Return the client's address: that of the connection, or the one that a trusted proxy forwarded."""
    return request.client.host if request.client else NOWHERE
