"""Login and logout: by name and password, followed by a code if the person has a second factor (login_code.py), or by a
passkey instead of both (login_passkey.py)."""

from typing import Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from cloud_bridge.app_state import AppState
from cloud_bridge.durations import DAY_MS
from cloud_bridge.passwords import Passwords
from cloud_bridge.settings import Settings
from cloud_bridge.store.access import Person
from cloud_bridge.store.known_devices import DEVICE_DAYS, remember_device
from cloud_bridge.store.names import folded
from cloud_bridge.store.people import NEEDS_SECOND_FACTOR, SESSION_MS, close_session, find_login, open_session
from cloud_bridge.store.second_factors import PENDING_MS, open_pending_login, second_factor_of
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.connections import Writing
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.form_errors import FORM
from cloud_bridge.web.page import Field, OwnForm, is_secure, to
from cloud_bridge.web.pages.everyone.stranger import LOGIN_COOKIE, StrangerForm, stranger_page
from cloud_bridge.web.presentation.words import lasting
from cloud_bridge.web.public_address import address_of
from cloud_bridge.web.security.access import SESSION_COOKIE, StateDep
from cloud_bridge.web.security.attempts import Attempts, device_limits, login_limits, own_password_limits
from cloud_bridge.web.security.log import address_of_client, note
from cloud_bridge.web.security.relying_party import relying_party
from cloud_bridge.web.security.second_factor import DEVICE_COOKIE, PENDING_COOKIE, CodeRefused, known_device
from cloud_bridge.words import gettext as _

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def login_form(request: Request, next: str = "/") -> Response:
    """Show the form. It runs on the event loop, because it queries no database and many people may request it at once."""
    return login_page(request, next, 200)


@router.post("/login", dependencies=[StrangerForm])
async def login(
    request: Request,
    app_state: StateDep,
    name: Field,
    password: Field,
    next: Field = "/",
) -> Response:
    """Log in by password. Clients that have guessed too often are refused at once: they neither wait for a turn to hash nor
    take one from others."""
    attempts: Attempts = request.app.state.attempts
    device = await run_in_threadpool(known_device, request, app_state, name)
    limits = login_limits(folded(name), address_of_client(request)) if device is None else device_limits(device)
    now_ms = app_state.verified.now_ms()
    wait_ms, person = attempts.wait_ms(limits, now_ms), None
    if wait_ms == 0:
        async with app_state.passwords.turn(is_known=device is not None) as passwords:
            # Check again, because others had their turn meanwhile. Waiting alone counts as no guess.
            wait_ms = attempts.reserve(limits, now_ms)
            if wait_ms == 0:
                person = await run_in_threadpool(who_knows, app_state, passwords, name, password)
    if wait_ms:
        note(request, Kind.TOO_MANY_PASSWORDS)
        return login_page(request, next, 429, wait=lasting(wait_ms))
    if person is None:
        note(request, Kind.WRONG_PASSWORD)
        return login_page(request, next, 401)
    attempts.succeeded(limits)
    return await run_in_threadpool(admit, request, app_state, person, our_path(next))


def admit(request: Request, app_state: AppState, person: Person, next: str, by_passkey: bool = False) -> Response:
    """Open a session, or lead on to the second factor or to setting one up. A passkey is two factors in one, so it needs no
    code. A person whose role requires a second factor still has to set one up after a passkey; otherwise the password alone
    would be enough to set one up."""
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: the password was hashed in this request
        has_second_factor = second_factor_of(connection, person.id) is not None
        is_asked_for = not by_passkey if has_second_factor else person.role in NEEDS_SECOND_FACTOR
        cookie = open_pending_login(connection, person, app_state.verified.now_ms()) if is_asked_for else None
    if cookie is None:
        response: Response = to(next)
        log_in(request, response, app_state, person, "by passkey" if by_passkey else "")
        response.delete_cookie(LOGIN_COOKIE)
        return response
    note(request, Kind.PASSKEY_RIGHT if by_passkey else Kind.PASSWORD_RIGHT, person)
    response = to(f"/login/{'code' if has_second_factor else 'second-factor'}?{urlencode({'next': next})}")
    _set_cookie(request, response, PENDING_COOKIE, cookie, PENDING_MS, "strict")
    response.delete_cookie(LOGIN_COOKIE)
    return response


def log_in(request: Request, response: Response, app_state: AppState, person: Person, about: str = "") -> None:
    """Open a session after all checks have passed, and log it."""
    give_session(request, response, app_state, person)
    note(request, Kind.LOGGED_IN, person, about)


@router.post("/logout", dependencies=[OwnForm])
def logout(request: Request, connection: Writing) -> Response:
    close_session(connection, request.cookies.get(SESSION_COOKIE, ""))
    response = to("/login")
    response.delete_cookie(SESSION_COOKIE)
    return response


def who_knows(app_state: AppState, passwords: Passwords, name: str, password: str) -> Person | None:
    """Return the person of that name if the password is theirs, else None. Takes equally long if there is no such person."""
    with (
        app_state.database.reading() as connection
    ):  # a transaction of its own: none may be open while a password is hashed
        login = find_login(connection, name)
    matches = passwords.matches(None if login is None else login.password_hash, password)
    return login.person if login is not None and matches else None


def knows_own(
    request: Request, app_state: AppState, passwords: Passwords, person: Person, password: str, why: str
) -> bool:
    """Return True if the password is that of the logged-in person. `why` goes to the security log. Raises Refused (429)."""
    attempts: Attempts = request.app.state.attempts
    limits = own_password_limits(person.id)
    if wait_ms := attempts.reserve(limits, app_state.verified.now_ms()):
        note(request, Kind.TOO_MANY_PASSWORDS, person, why)
        meaning = _("Try again in {wait}. Nothing was changed.").format(wait=lasting(wait_ms))
        raise Refused(_("Too many wrong passwords"), meaning, 429, FORM)
    if who_knows(app_state, passwords, person.name, password) is None:
        note(request, Kind.WRONG_PASSWORD, person, why)
        return False
    attempts.succeeded(limits)
    return True


def give_session(request: Request, response: Response, app_state: AppState, person: Person) -> None:
    """Set the cookies of a new session and of a known device, which has its own allowance of wrong guesses."""
    now_ms = app_state.verified.now_ms()
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: the password was hashed in this request
        device = remember_device(connection, person.id, now_ms, request.cookies.get(DEVICE_COOKIE, ""))
        cookie = open_session(connection, person, now_ms, device)
    _set_cookie(request, response, SESSION_COOKIE, cookie, SESSION_MS, "lax")
    _set_cookie(request, response, DEVICE_COOKIE, device, DEVICE_DAYS * DAY_MS, "strict")


def _set_cookie(
    request: Request, response: Response, name: str, value: str, age_ms: int, same_site: Literal["lax", "strict"]
) -> None:
    secure = is_secure(request)
    response.set_cookie(name, value, age_ms // 1000, httponly=True, samesite=same_site, secure=secure)


def login_page(
    request: Request, next: str, status: int, wait: str | None = None, refused: CodeRefused | None = None
) -> Response:
    """Show the login page. `refused` is the message about a passkey."""
    settings: Settings = request.app.state.bridge.settings
    content = {
        "failed": status == 401,
        "wait": wait,
        "refused": refused,
        "next": our_path(next),
        "passkeys": relying_party(address_of(request)) is not None,
        "sign_up": settings.sign_up,  # for login_help.html
        "can_write": settings.mail is not None,
    }
    return stranger_page(request, "everyone/login.html", status, **content)


def our_path(path: str) -> str:
    """Return `path` if it is a path of our own pages, else "/". Nobody is redirected to another site after a login."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"
