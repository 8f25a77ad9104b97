"""Tools for routes that serve pages: login, access to a charge point, templates and form tokens."""

import secrets
from typing import Annotated, Any

from fastapi import Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cloud_bridge.store.access import Person, Role, Scope, may
from cloud_bridge.store.conversations import count_news
from cloud_bridge.store.people import Has, what_they_have
from cloud_bridge.store.units import Unit, visible_unit
from cloud_bridge.web import static_files
from cloud_bridge.web.connections import connection_for_check
from cloud_bridge.web.errors import LoginNeeded, NotTheirs
from cloud_bridge.web.form_errors import NOTHING, typed_of
from cloud_bridge.web.presentation import words
from cloud_bridge.web.public_address import address_of, below
from cloud_bridge.web.security.access import SESSION_COOKIE, person_in
from cloud_bridge.web.security.forms import check_form, form_token
from cloud_bridge.web.translated_templates import SHARED
from cloud_bridge.web.translated_templates import template as translated
from cloud_bridge.words import formats
from cloud_bridge.words.language import choose_language

MAX_FIELD = 200
UNIT_ID = "unit_id"  # path parameter of the pages of one charge point
HAS_NOTHING = Has(charger=False, vehicle=False)

SHARED |= {
    "once": lambda: secrets.token_hex(16),  # identifies a form, so that one sent twice counts once
    "static": static_files.PATH,
    "typed_in": NOTHING.form,  # for pages that do not answer a form (form_errors.py)
    "is_refused": False,
    "words": words,
    "formats": formats,
}

Field = Annotated[str, Form(max_length=MAX_FIELD)]
Number = Annotated[int, Path(ge=1, lt=2**63)]  # id of a row; the database stores no larger number
Once = Annotated[str, Form(pattern="^[0-9a-f]{32}$")]


def viewer_of(request: Request) -> Person | None:
    """Return the person who is logged in, or None. In the same transaction, look up what the page's navigation needs (news,
    and what a driver has) and the charge point in the path, because some pages are made on the event loop and cannot query the
    database."""
    if not request.cookies.get(SESSION_COOKIE):
        return None
    with connection_for_check(request) as connection:
        person = person_in(request, connection)
        if person is not None and request.method == "GET":
            request.state.news = count_news(connection, person)
        if person is not None and person.role is Role.DRIVER:
            request.state.has = what_they_have(connection, person)
        if person is not None and UNIT_ID in request.path_params:
            request.state.unit = visible_unit(connection, person, request.path_params[UNIT_ID])
    if person is not None:
        choose_language(person.language)
    return person


def logged_in(request: Request) -> Person:
    person = viewer_of(request)
    if person is None:
        raise LoginNeeded(request.url.path if request.method == "GET" else "/")
    return person


PersonOf = Annotated[Person, Depends(logged_in)]


def only(scope: Scope) -> Any:
    """Return a dependency that raises NotTheirs for people without the scope."""

    async def check(person: PersonOf) -> None:
        if not may(person, scope):
            raise NotTheirs("page")

    return Depends(check)


async def unit_of(unit_id: str, request: Request, _person: PersonOf) -> Unit:
    """Return the charge point in the path, which `viewer_of` has looked up. Raises NotTheirs if the person may not see it."""
    unit: Unit | None = request.state.unit
    if unit is None:
        raise NotTheirs("charger")
    return unit


UnitOf = Annotated[Unit, Depends(unit_of)]


def own_unit_of(person: PersonOf, unit: UnitOf) -> Unit:
    """Return the charge point in the path if the person owns it. Those who only see it or share it may not change its name or
    who sees it. Raises NotTheirs."""
    if unit.owner_id != person.id:
        raise NotTheirs("charger")
    return unit


OwnUnitOf = Annotated[Unit, Depends(own_unit_of)]


async def own_form(request: Request, _person: PersonOf, form: Field) -> None:
    """Check that the form was made by us for this session. Raises 403."""
    check_form(request.cookies.get(SESSION_COOKIE, ""), form)


OwnForm = Depends(own_form)  # for every route that changes something: dependencies=[OwnForm]


def page(request: Request, template: str, person: Person | None, status: int = 200, **content: Any) -> Response:
    """Return a whole page. `person` is None where no login is needed."""
    content.setdefault("news", getattr(request.state, "news", 0))
    content.setdefault("form", form_token(request.cookies.get(SESSION_COOKIE, "")))
    content["has"] = getattr(request.state, "has", HAS_NOTHING)
    return HTMLResponse(render_html(request, template, person=person, **content), status)


def render_html(request: Request, template: str, **content: Any) -> str:
    """Render a page or a part of one, with its links below the public address."""
    typed = typed_of(request)
    content |= {"path": request.url.path, "typed_in": typed.form, "is_refused": typed.is_refused}
    html = translated(template).render(content)
    return below(address_of(request).root, html)


def attachment(name: str, content: str | bytes, media_type: str) -> Response:
    """Return a file to download under this name."""
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def to(path: str) -> RedirectResponse:
    """Redirect after a form was processed, so that reloading the page does not send the form again."""
    return RedirectResponse(path, 303)


def is_secure(request: Request) -> bool:
    """Return True if people reach the service over TLS, so that cookies can be restricted to it."""
    return address_of(request).scheme == "https"
