"""How a page is made: who must be logged in to see it, its template, and the token of its forms."""

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
UNIT_ID = "unit_id"  # in the path of what is a page of one charge point
HAS_NOTHING = Has(charger=False, vehicle=False)

SHARED |= {
    "once": lambda: secrets.token_hex(16),  # marks a form, so that sent twice it counts once
    "static": static_files.PATH,
    "typed_in": NOTHING.form,  # of a page that answers no form: form_errors.py
    "is_refused": False,
    "words": words,
    "formats": formats,
}

Field = Annotated[str, Form(max_length=MAX_FIELD)]
Number = Annotated[int, Path(ge=1, lt=2**63)]  # of a row in the store, which takes no larger one
Once = Annotated[str, Form(pattern="^[0-9a-f]{32}$")]


def viewer_of(request: Request) -> Person | None:
    """Who is logged in, if anybody. What is new for them is counted too, and what a driver has is asked, for the navigation of
    the page: on this thread, since some pages are made on the event loop. So is the charge point of the path, in one view."""
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
    """A dependency: whoever lacks the scope finds nothing there. Raises NotTheirs."""

    async def check(person: PersonOf) -> None:
        if not may(person, scope):
            raise NotTheirs("page")

    return Depends(check)


async def unit_of(unit_id: str, request: Request, _person: PersonOf) -> Unit:
    """The charge point of the path, if the person may see it: `viewer_of` has looked. Raises NotTheirs."""
    unit: Unit | None = request.state.unit
    if unit is None:
        raise NotTheirs("charger")
    return unit


UnitOf = Annotated[Unit, Depends(unit_of)]


def own_unit_of(person: PersonOf, unit: UnitOf) -> Unit:
    """The charge point of the path, if it is the person's own: whoever may merely look at it, or shares it, does not change
    what it is called and who sees it. Raises NotTheirs."""
    if unit.owner_id != person.id:
        raise NotTheirs("charger")
    return unit


OwnUnitOf = Annotated[Unit, Depends(own_unit_of)]


async def own_form(request: Request, _person: PersonOf, form: Field) -> None:
    """The form was made by us for this browser session. Raises 403."""
    check_form(request.cookies.get(SESSION_COOKIE, ""), form)


OwnForm = Depends(own_form)  # of every route that changes something: dependencies=[OwnForm]


def page(request: Request, template: str, person: Person | None, status: int = 200, **content: Any) -> Response:
    """A whole page. `person` is None where nobody need be logged in."""
    content.setdefault("news", getattr(request.state, "news", 0))
    content.setdefault("form", form_token(request.cookies.get(SESSION_COOKIE, "")))
    content["has"] = getattr(request.state, "has", HAS_NOTHING)
    return HTMLResponse(render_html(request, template, person=person, **content), status)


def render_html(request: Request, template: str, **content: Any) -> str:
    """A page or a part of one, with its links below the public address."""
    typed = typed_of(request)
    content |= {"path": request.url.path, "typed_in": typed.form, "is_refused": typed.is_refused}
    html = translated(template).render(content)
    return below(address_of(request).root, html)


def attachment(name: str, content: str | bytes, media_type: str) -> Response:
    """A file to keep, under this name."""
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def to(path: str) -> RedirectResponse:
    """After a form was taken in: look at the result, and reloading does not send the form again."""
    return RedirectResponse(path, 303)


def is_secure(request: Request) -> bool:
    """Whether people reach us over TLS, and a cookie can be kept off plain HTTP."""
    return address_of(request).scheme == "https"
