"""Who asks: an API token in the Authorization header, or a person by the session cookie."""

import hmac
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from cloud_bridge.house import House
from cloud_bridge.passwords import Passwords
from cloud_bridge.store.access import Asker, Person, Scope, Token, may, token_for
from cloud_bridge.store.people import who_has_session
from cloud_bridge.store.tokens import find_token

SESSION_COOKIE = "chargekeeper_session"

_bearer = HTTPBearer(auto_error=False)


async def house_of(request: Request) -> House:
    """A dependency; not a plain function, for which FastAPI would take a thread."""
    return _house(request)


def person_of(request: Request) -> Person | None:
    """The person who is logged in to the pages, if any."""
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie:
        return None
    house = _house(request)
    with house.database.reading() as connection:
        return who_has_session(connection, cookie, house.clock.now_ms())


def api_asker(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Asker:
    """Raises 401 when it is nobody, 403 when it may not even look."""
    asker: Asker | None
    if credentials is not None:
        asker = _token(_house(request), credentials.credentials)
    else:
        asker = person_of(request)
        if asker is not None and request.method not in ("GET", "HEAD"):  # another site can make a browser send it
            raise HTTPException(403, "a session may only look here: use a token")
    if asker is None:
        needed = "a valid token is needed: Authorization: Bearer <token>"
        raise HTTPException(401, needed, {"WWW-Authenticate": "Bearer"})
    require(asker, Scope.READ)
    return asker


def require(asker: Asker, scope: Scope) -> None:
    """Raises 403."""
    if not may(asker, scope):
        raise HTTPException(403, f"this needs the scope {scope}")


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


def _token(house: House, token: str) -> Token | None:
    ours = house.settings.api_token
    if ours is not None and hmac.compare_digest(token.encode(), ours.encode()):
        return token_for(None, frozenset(Scope))
    with house.database.reading() as connection:
        return find_token(connection, token)


async def passwords_of(house: Annotated[House, Depends(house_of)]) -> AsyncIterator[Passwords]:
    """A dependency of the routes that check a password: their turn to do so. Raises HashingBusy."""
    async with house.passwords.turn() as passwords:
        yield passwords


ApiAsker = Annotated[Asker, Depends(api_asker)]
HouseOf = Annotated[House, Depends(house_of)]
PasswordsOf = Annotated[Passwords, Depends(passwords_of, scope="function")]  # over before the answer is sent
