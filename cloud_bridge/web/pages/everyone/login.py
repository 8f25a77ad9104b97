"""Logging in and out."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.app_state import AppState
from cloud_bridge.passwords import Passwords
from cloud_bridge.store.access import Person
from cloud_bridge.store.names import folded
from cloud_bridge.store.people import SESSION_MS, close_session, find_login, open_session
from cloud_bridge.store.secrets import new_secret
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.page import Field, OwnForm, is_secure, page, to
from cloud_bridge.web.presentation.words import lasting
from cloud_bridge.web.security.access import SESSION_COOKIE, PasswordsOf, StateDep
from cloud_bridge.web.security.attempts import Attempts, login_limits, own_password_limits
from cloud_bridge.web.security.forms import check_form, form_token
from cloud_bridge.web.security.log import address_of_client, note

LOGIN_COOKIE = "chargekeeper_login"  # ties the login form to the browser that asked for it

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def login_form(request: Request, next: str = "/") -> Response:
    """On the event loop: it asks no database, and a crowd may want it."""
    return _login_page(request, next, 200)


@router.post("/login")
def login(
    request: Request,
    app_state: StateDep,
    passwords: PasswordsOf,
    name: Field,
    password: Field,
    form: Field,
    next: Field = "/",
) -> Response:
    check_form(request.cookies.get(LOGIN_COOKIE), form)
    attempts: Attempts = request.app.state.attempts
    limits, now_ms = login_limits(folded(name), address_of_client(request)), app_state.verified.now_ms()
    if wait_ms := attempts.reserve(limits, now_ms):
        note(request, Kind.TOO_MANY_PASSWORDS)
        return _login_page(request, next, 429, wait=lasting(wait_ms))
    person = who_knows(app_state, passwords, name, password)
    if person is None:
        note(request, Kind.WRONG_PASSWORD)
        return _login_page(request, next, 401)
    attempts.succeeded(limits)
    response = to(_ours(next))
    give_session(request, response, app_state, person)
    note(request, Kind.LOGGED_IN, person)
    response.delete_cookie(LOGIN_COOKIE)
    return response


@router.post("/logout", dependencies=[OwnForm])
def logout(request: Request, app_state: StateDep) -> Response:
    with app_state.database.writing() as connection:  # of its own: committed before live streams look again
        close_session(connection, request.cookies.get(SESSION_COOKIE, ""))
    app_state.live.access_changed()
    response = to("/login")
    response.delete_cookie(SESSION_COOKIE)
    return response


def who_knows(app_state: AppState, passwords: Passwords, name: str, password: str) -> Person | None:
    """The person of that name if it is their password. Takes as long for a stranger."""
    with app_state.database.reading() as connection:  # of its own: none is held while a password is hashed
        login = find_login(connection, name)
    matches = passwords.matches(None if login is None else login.password_hash, password)
    return login.person if login is not None and matches else None


def knows_own(
    request: Request, app_state: AppState, passwords: Passwords, person: Person, password: str, why: str
) -> bool:
    """Whether it is the password of the person who is logged in. `why` is for the security log. Raises Refused (429)."""
    attempts: Attempts = request.app.state.attempts
    limits = own_password_limits(person.id)
    if wait_ms := attempts.reserve(limits, app_state.verified.now_ms()):
        note(request, Kind.TOO_MANY_PASSWORDS, person, why)
        raise Refused("Too many wrong passwords", f"Try again in {lasting(wait_ms)}. Nothing was changed.", 429)
    if who_knows(app_state, passwords, person.name, password) is None:
        note(request, Kind.WRONG_PASSWORD, person, why)
        return False
    attempts.succeeded(limits)
    return True


def give_session(request: Request, response: Response, app_state: AppState, person: Person) -> None:
    """From this answer on, the browser is the person's."""
    with app_state.database.writing() as connection:  # of its own: the password was hashed in this request
        cookie = open_session(connection, person, app_state.verified.now_ms())
    response.set_cookie(
        SESSION_COOKIE,
        cookie,
        max_age=SESSION_MS // 1000,
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )


def _login_page(request: Request, next: str, status: int, wait: str | None = None) -> Response:
    cookie = request.cookies.get(LOGIN_COOKIE) or new_secret()
    content = {"form": form_token(cookie), "failed": status == 401, "wait": wait, "next": _ours(next)}
    response = page(request, "everyone/login.html", None, status, **content)
    response.set_cookie(LOGIN_COOKIE, cookie, httponly=True, samesite="strict", secure=is_secure(request))
    return response


def _ours(path: str) -> str:
    """Only a path of our own pages: nobody is sent elsewhere after logging in."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"
