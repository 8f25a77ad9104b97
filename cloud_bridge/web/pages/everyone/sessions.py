"""The browsers in which a person is logged in, with buttons to end the sessions."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from cloud_bridge.store.people import SESSION_ID_LENGTH, end_sessions, sessions_of
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.page import OwnForm, PersonOf, page, to
from cloud_bridge.web.security.access import SESSION_COOKIE, StateDep
from cloud_bridge.web.security.log import note

router = APIRouter(prefix="/account/sessions", include_in_schema=False)

SessionId = Annotated[str, Path(pattern=f"^[0-9a-f]{{{SESSION_ID_LENGTH}}}$")]


@router.get("")
def overview(request: Request, app_state: StateDep, connection: Reading, person: PersonOf) -> Response:
    cookie = request.cookies.get(SESSION_COOKIE, "")
    found = sessions_of(connection, person, cookie, app_state.verified.now_ms())
    return page(request, "everyone/account_sessions.html", person, sessions=found)


@router.post("/end-others", dependencies=[OwnForm])
def end_others(request: Request, app_state: StateDep, person: PersonOf) -> Response:
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: committed before the security log has it
        ended = end_sessions(connection, person, but=request.cookies.get(SESSION_COOKIE, ""))
    return _ended(request, person, ended)


@router.post("/{session_id}/end", dependencies=[OwnForm])
def end(request: Request, app_state: StateDep, person: PersonOf, session_id: SessionId) -> Response:
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: committed before the security log has it
        if not (ended := end_sessions(connection, person, session_id)):
            raise NotTheirs("session")
    return _ended(request, person, ended)


def _ended(request: Request, person: PersonOf, ended: int) -> Response:
    note(request, Kind.SESSIONS_ENDED, person, str(ended))
    return to("/account/sessions")
