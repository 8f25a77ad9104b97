"""The caller of a request: an API token in the Authorization header, or a person with a session cookie."""

import hmac
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.passwords import Passwords
from cloud_bridge.store.access import Asker, Person, Scope, Token, may, token_for
from cloud_bridge.store.people import who_has_session
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.tokens import find_token
from cloud_bridge.web.connections import connection_for_check
from cloud_bridge.web.security.attempts import Attempts, token_limits
from cloud_bridge.web.security.log import address_of_client, note

SESSION_COOKIE = "chargekeeper_session"

_bearer = HTTPBearer(auto_error=False)


async def state_of(request: Request) -> AppState:
    """Return the state of the running bridge. A dependency; async, because FastAPI runs other functions in a thread."""
    return _app_state(request)


def person_of(request: Request) -> Person | None:
    """Return the person who is logged in to the pages, or None."""
    if not request.cookies.get(SESSION_COOKIE):
        return None
    with connection_for_check(request) as connection:
        return person_in(request, connection)


def person_in(request: Request, connection: Connection) -> Person | None:
    """Return the person who is logged in, on a connection that the caller goes on using."""
    cookie = request.cookies.get(SESSION_COOKIE)
    return who_has_session(connection, cookie, _app_state(request).verified.now_ms()) if cookie else None


def api_asker(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Asker:
    """Return the caller, like `who_asks`. Raises 403 if it lacks the scope `read`."""
    asker = who_asks(request, credentials)
    require(asker, Scope.READ)
    return asker


def who_asks(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Asker:
    """Return the caller, whatever its scopes. Raises 401 without a valid token or session, 429 after too many wrong tokens
    from the same network, and 403 if a session sends anything but GET or HEAD."""
    asker: Asker | None
    if credentials is not None:
        asker = _token(request, credentials.credentials)
    else:
        asker = person_of(request)
        if asker is not None and request.method not in ("GET", "HEAD"):  # another site could make the browser send it
            raise HTTPException(403, "a session may only read here: use a token")
    if asker is None:
        needed = "a valid token is needed: Authorization: Bearer <token>"
        raise HTTPException(401, needed, {"WWW-Authenticate": "Bearer"})
    return asker


def sees_health(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> bool:
    """Return True if the caller may see the details of the service's health. Raises like `api_asker` for a wrong token."""
    if credentials is None and person_of(request) is None:
        return False
    return may(api_asker(request, credentials), Scope.OPERATE)


def require(asker: Asker, scope: Scope) -> None:
    """Raise 403 if the caller lacks the scope."""
    if not may(asker, scope):
        raise HTTPException(403, f"this needs the scope {scope}")


def _app_state(request: Request) -> AppState:
    app_state: AppState = request.app.state.bridge
    return app_state


def _token(request: Request, token: str) -> Token | None:
    app_state = _app_state(request)
    ours, now_ms = app_state.settings.api_token, app_state.verified.now_ms()
    if ours is not None and hmac.compare_digest(token.encode(), ours.encode()):
        return token_for(None, frozenset(Scope))
    attempts: Attempts = request.app.state.attempts
    limits = token_limits(address_of_client(request))
    if wait_ms := attempts.wait_ms(limits, now_ms):
        raise HTTPException(429, "too many wrong tokens", {"Retry-After": str(-(-wait_ms // 1000))})
    with connection_for_check(request) as connection:
        found = find_token(connection, token, now_ms)
    if found is None:
        attempts.failed(limits, now_ms)
        note(request, Kind.WRONG_TOKEN)
        return None
    if found.used_ms is None or now_ms - found.used_ms > HOUR_MS:
        app_state.security_log.token_used(found.id)
    return found.token


async def passwords_of(app_state: Annotated[AppState, Depends(state_of)]) -> AsyncIterator[Passwords]:
    """Wait for a turn to hash a password, for routes that ask a logged-in person for their password. A dependency. Raises
    HashingBusy."""
    async with app_state.passwords.turn(is_known=True) as passwords:
        yield passwords


ApiAsker = Annotated[Asker, Depends(api_asker)]
AnyAsker = Annotated[Asker, Depends(who_asks)]  # for routes that need a scope other than `read`
SeesHealth = Annotated[bool, Depends(sees_health)]
StateDep = Annotated[AppState, Depends(state_of)]
PasswordsOf = Annotated[Passwords, Depends(passwords_of, scope="function")]  # ends before the response is sent
