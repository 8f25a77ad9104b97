"""What a request did that concerns security, into the security log."""

from fastapi import Request

from cloud_bridge.store.access import Asker
from cloud_bridge.store.security_events import Kind

NOWHERE = "unknown"  # a client that the server tells no address of


def note(request: Request, kind: Kind, asker: Asker | None = None, about: str = "") -> None:
    """It has happened now. `about` is nothing that a stranger typed, and no secret."""
    person_id = None if asker is None else asker.id
    request.app.state.bridge.security_log.note(kind, address_of_client(request), person_id, about)


def address_of_client(request: Request) -> str:
    """As the server knows it, or as a proxy that it trusts tells it."""
    return request.client.host if request.client else NOWHERE
