"""Who asks: an API token in the Authorization header, or a person by the session cookie."""

import hmac
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from cloud_bridge.house import House
from cloud_bridge.store.people import Person, who_has_session
from cloud_bridge.store.tokens import is_token

SESSION_COOKIE = "chargekeeper_session"

_bearer = HTTPBearer(auto_error=False)


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


def person_of(request: Request) -> Person | None:
    """The person who is logged in to the pages, if any."""
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie:
        return None
    house = house_of(request)
    with house.database.reading() as connection:
        return who_has_session(connection, cookie, house.clock.now_ms())


def api_viewer(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Person | None:
    """None for a valid token, which sees all; otherwise the person who is logged in. Raises 401."""
    if credentials is not None:
        if _token_is_valid(house_of(request), credentials.credentials):
            return None
    elif (person := person_of(request)) is not None:
        return person
    raise HTTPException(401, "a valid token is needed: Authorization: Bearer <token>", {"WWW-Authenticate": "Bearer"})


def _token_is_valid(house: House, token: str) -> bool:
    ours = house.settings.api_token
    if ours is not None and hmac.compare_digest(token.encode(), ours.encode()):
        return True
    with house.database.reading() as connection:
        return is_token(connection, token)


ApiViewer = Annotated[Person | None, Depends(api_viewer)]
HouseOf = Annotated[House, Depends(house_of)]
