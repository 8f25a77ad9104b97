"""Links with a one-time code, sent in letters or handed over."""

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from cloud_bridge.app_state import AppState
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.presentation.words import lasting
from cloud_bridge.web.security.attempts import Attempts, link_limits
from cloud_bridge.web.security.log import address_of_client, note
from cloud_bridge.words import gettext as _

Found = TypeVar("Found")


def check_link(request: Request, app_state: AppState, find: Callable[[], Found | None], gone: tuple[str, str]) -> Found:
    """Return what `find` returns for the code. Raises Refused: with `gone` if the code is not valid, and after too many
    guesses from the same network."""
    attempts: Attempts = request.app.state.attempts
    limits = link_limits(address_of_client(request))
    if wait_ms := attempts.reserve(limits, app_state.verified.now_ms()):
        raise Refused(
            _("Too many links"), _("Too many were not valid. Try again in {wait}.").format(wait=lasting(wait_ms)), 429
        )
    found = find()
    if found is None:
        note(request, Kind.WRONG_LINK)
        raise Refused(*gone)
    attempts.returned(limits)
    return found
