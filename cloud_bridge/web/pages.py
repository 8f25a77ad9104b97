"""The pages, for people: log in, the charge points, the dashboard of one."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud_bridge.store.people import SESSION_MS, Person, close_session, open_session, who_logs_in
from cloud_bridge.store.secrets import new_secret
from cloud_bridge.store.units import visible_unit, visible_units
from cloud_bridge.web.access import SESSION_COOKIE, HouseOf, person_of
from cloud_bridge.web.dashboard import describe
from cloud_bridge.web.forms import check_form, form_token
from cloud_bridge.web.view import charge_point

LOGIN_COOKIE = "chargekeeper_login"  # ties the login form to the browser that asked for it
MAX_FIELD = 200

router = APIRouter(include_in_schema=False)

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

Field = Annotated[str, Form(max_length=MAX_FIELD)]


@router.get("/")
def home(request: Request, house: HouseOf) -> Response:
    """The dashboard of the only charge point, or the list of all."""
    person = person_of(request)
    if person is None:
        return _to("/login")
    with house.database.reading() as connection:
        units = visible_units(connection, person)
    boards = [describe(charge_point(house, unit)) for unit in units]
    if len(boards) == 1:
        return _page(request, "charge_point.html", person, board=boards[0])
    return _page(request, "charge_points.html", person, boards=boards)


@router.get("/charge-points/{unit_id}")
def dashboard(request: Request, unit_id: str, house: HouseOf) -> Response:
    person = person_of(request)
    if person is None:
        return _to("/login")
    with house.database.reading() as connection:
        unit = visible_unit(connection, person, unit_id)
    if unit is None:
        return _page(request, "missing.html", person, status=404)
    return _page(request, "charge_point.html", person, board=describe(charge_point(house, unit)))


@router.get("/login")
def login_form(request: Request) -> Response:
    return _login_page(request, failed=False)


@router.post("/login")
def login(request: Request, house: HouseOf, name: Field, password: Field, form: Field) -> Response:
    check_form(request.cookies.get(LOGIN_COOKIE), form)
    with house.database.reading() as connection:
        person = who_logs_in(connection, name, password)
    if person is None:
        return _login_page(request, failed=True)
    with house.database.writing() as connection:
        cookie = open_session(connection, person, house.clock.now_ms())
    response = _to("/")
    response.set_cookie(
        SESSION_COOKIE,
        cookie,
        max_age=SESSION_MS // 1000,
        httponly=True,
        samesite="lax",
        secure=_is_secure(request),
    )
    response.delete_cookie(LOGIN_COOKIE)
    return response


@router.post("/logout")
def logout(request: Request, house: HouseOf, form: Field) -> Response:
    cookie = request.cookies.get(SESSION_COOKIE, "")
    check_form(cookie, form)
    with house.database.writing() as connection:
        close_session(connection, cookie)
    response = _to("/login")
    response.delete_cookie(SESSION_COOKIE)
    return response


def _login_page(request: Request, failed: bool) -> Response:
    cookie = request.cookies.get(LOGIN_COOKIE) or new_secret()
    html = _templates.get_template("login.html").render(form=form_token(cookie), failed=failed, person=None)
    response = HTMLResponse(html, 401 if failed else 200)
    response.set_cookie(LOGIN_COOKIE, cookie, httponly=True, samesite="strict", secure=_is_secure(request))
    return response


def _page(request: Request, template: str, person: Person, status: int = 200, **content: Any) -> Response:
    form = form_token(request.cookies.get(SESSION_COOKIE, ""))
    html = _templates.get_template(template).render(person=person, form=form, **content)
    return HTMLResponse(html, status)


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303)


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
