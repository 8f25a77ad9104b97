"""The second step of a login: the code of a second factor, or setting one up if the role requires it.

There is no session until this step is done. The cookie of a pending login gives access to these pages only; no other route
reads it.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from cloud_bridge.app_state import AppState
from cloud_bridge.errors import AlreadyThere
from cloud_bridge.store.access import Person
from cloud_bridge.store.second_factors import close_pending_login, second_factor_of
from cloud_bridge.web.errors import LoginNeeded
from cloud_bridge.web.page import Field, page, to
from cloud_bridge.web.pages.everyone.login import log_in, our_path
from cloud_bridge.web.pages.everyone.new_second_factor import add_checked, new_secret_form
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.forms import check_form, form_token
from cloud_bridge.web.security.second_factor import PENDING_COOKIE, CodeRefused, check_code, waiting_person

router = APIRouter(prefix="/login", include_in_schema=False)


def waiting(request: Request, app_state: StateDep) -> Person:
    """Return the person whose login is pending. Raises LoginNeeded if there is none, or if it took too long."""
    person = waiting_person(request, app_state)
    if person is None:
        raise LoginNeeded("/")
    return person


def pending_form(request: Request, _person: "WaitingPerson", form: Field) -> None:
    """Check that the form was made by us for this login. Raises 403."""
    check_form(request.cookies.get(PENDING_COOKIE), form)


WaitingPerson = Annotated[Person, Depends(waiting)]
PendingForm = Depends(pending_form)


@router.get("/code")
def code_page(request: Request, app_state: StateDep, person: WaitingPerson, next: str = "/") -> Response:
    if not _has_second_factor(app_state, person):
        return to("/login/second-factor")
    return _code_page(request, next)


@router.post("/code", dependencies=[PendingForm])
def code(request: Request, app_state: StateDep, person: WaitingPerson, code: Field, next: Field = "/") -> Response:
    refused = check_code(request, app_state, person, code)
    if refused is not None:
        return _code_page(request, next, refused)
    return _over(request, app_state, person, to(our_path(next)))


@router.get("/second-factor")
def set_up_page(request: Request, app_state: StateDep, person: WaitingPerson, next: str = "/") -> Response:
    """Show a new secret. It is stored only when it is confirmed by a code, in this browser."""
    if _has_second_factor(app_state, person):
        return to("/login/code")
    return _set_up_page(request, app_state, person, next)


@router.post("/second-factor", dependencies=[PendingForm])
def set_up(
    request: Request, app_state: StateDep, person: WaitingPerson, new: Field, code: Field, next: Field = "/"
) -> Response:
    try:
        done = add_checked(request, app_state, person, request.cookies.get(PENDING_COOKIE, ""), new, code)
    except AlreadyThere:  # set up in another browser meanwhile
        return to("/login/code")
    if isinstance(done, CodeRefused):
        return _set_up_page(request, app_state, person, next, new, done)
    shown = page(request, "everyone/recovery_codes.html", None, codes=done, next=our_path(next), form="")
    return _over(request, app_state, person, shown)


@router.post("/cancel", dependencies=[PendingForm])
def cancel(request: Request, app_state: StateDep, person: WaitingPerson) -> Response:
    _close(request, app_state)
    response = to("/login")
    response.delete_cookie(PENDING_COOKIE)
    return response


def _over(request: Request, app_state: AppState, person: Person, response: Response) -> Response:
    if not _close(request, app_state):  # two responses at once: the other one was first
        return to("/login")
    log_in(request, response, app_state, person)
    response.delete_cookie(PENDING_COOKIE)
    return response


def _close(request: Request, app_state: AppState) -> bool:
    with app_state.database.writing() as connection:
        return close_pending_login(connection, request.cookies.get(PENDING_COOKIE, ""))


def _has_second_factor(app_state: AppState, person: Person) -> bool:
    with app_state.database.reading() as connection:
        return second_factor_of(connection, person.id) is not None


def _code_page(request: Request, next: str, refused: CodeRefused | None = None) -> Response:
    form = form_token(request.cookies.get(PENDING_COOKIE, ""))
    content = {"form": form, "next": our_path(next), "refused": refused}
    return page(request, "everyone/login_code.html", None, refused.status if refused else 200, **content)


def _set_up_page(
    request: Request,
    app_state: AppState,
    person: Person,
    next: str,
    typed: str | None = None,
    refused: CodeRefused | None = None,
) -> Response:
    """Show the page again with the same secret while its code is asked for again."""
    cookie = request.cookies.get(PENDING_COOKIE, "")
    new = new_secret_form(app_state, person, cookie, typed)
    content = {"form": form_token(cookie), "next": our_path(next), "refused": refused, "new": new}
    return page(request, "everyone/login_second_factor.html", None, refused.status if refused else 200, **content)
