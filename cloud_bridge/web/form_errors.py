"""Shows a refused form again: the same page, with what was typed, and the reason beside the field. It needs no JavaScript.

The route that receives the form raises `Refused(title, meaning, field="code")`, or with `problems` if several fields may be
wrong; `explained` does so for errors of the store; or FastAPI itself refuses a field (missing, too long, pattern mismatch).
The page is then rendered again by its own GET route, which needs no code for that. Its template asks for what was typed:

    {% set typed = typed_in("/account/units") %}  {# the action; more of its fields where several forms have one action #}
    <form method="post" action="/account/units">
    {{ typed.problem() }}  {# about the form as a whole: field="" #}
    <label>Claim code <input name="code" value="{{ typed.value("code") }}"{{ typed.marks("code", "where") }}></label>
    {{ typed.problem("code") }}
    <p id="where">It is on the label.</p>

`typed.value("name", unit.name)` is what was typed, or the stored value when the form is shown for the first time.
`typed.has("days", "mon", stored)` is for a checkbox or an option. A password field has marks and a problem, but no value.

The page is the one at the form's action, or one level above it: /charge-points/ID/charging for .../charging/limit. If the
template has no place for a problem, the reason is shown on a page of its own, as it is without a field. A form without a valid
token is never shown again, because another site may have filled it in.

The page's address has no query then. A code from the link in a letter is therefore also in a hidden field, and `sent_code`
reads either.
"""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.types import Message

from cloud_bridge.errors import BridgeError
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.presentation.words import sentence
from cloud_bridge.web.public_address import COOKIES
from cloud_bridge.web.security.forms import check_form
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

FORM = ""  # stands for the form as a whole, instead of a field's name
_TYPED = "chargekeeper.typed"  # key in the scope of the request that renders the page again
_AS_CHECKED = Markup(' aria-invalid="true"{} aria-describedby="{}"')
_AS_ALWAYS = Markup(' aria-describedby="{}"')
_PROBLEM = Markup('<p class="problem" id="problem-{}">{}</p>')
_PROBLEM_OF_FORM = Markup('<p class="problem" role="alert" tabindex="-1" autofocus>{}</p>')


class Typed:
    """What was typed in one form, and why it was refused: the text by name of the field. Made for one page."""

    def __init__(self, action: str, fields: Mapping[str, Sequence[str]], problems: Mapping[str, str]) -> None:
        self._action = action
        self._fields = fields
        self._problems = problems
        self._shown: set[str] = set()

    @property
    def is_refused(self) -> bool:
        return bool(self._problems)

    @property
    def is_shown(self) -> bool:
        """True if the page has shown all the problems."""
        return self._shown == set(self._problems)

    def form(self, action: str, **fields: str) -> "Typed":
        """Return this object for the form that was sent, and an empty one for any other form."""
        is_it = self._action == action and all(self.value(name) == value for name, value in fields.items())
        return self if is_it else NOTHING

    def value(self, field: str, stored: object = "") -> object:
        if not self.is_refused:
            return stored
        return next(iter(self._fields.get(field, ())), "")

    def has(self, field: str, value: str, stored: bool = False) -> bool:
        """Return True if a checkbox or an option is selected."""
        return value in self._fields.get(field, ()) if self.is_refused else stored

    def marks(self, field: str, described_by: str = "") -> Markup:
        """Return the ARIA attributes of a field. `described_by` is the id of its explanation. The first wrong field gets the
        focus."""
        if field not in self._problems:
            return _AS_ALWAYS.format(described_by) if described_by else Markup()
        focus = Markup(" autofocus") if field == next(iter(self._problems)) else Markup()
        return _AS_CHECKED.format(focus, f"{described_by} problem-{field}".strip())

    def problem(self, field: str = FORM) -> Markup:
        """Return why the field was refused; empty if nothing is wrong with it."""
        words = self._problems.get(field)
        if words is None:
            return Markup()
        self._shown.add(field)
        return _PROBLEM_OF_FORM.format(words) if field == FORM else _PROBLEM.format(field, words)


NOTHING = Typed("", {}, {})


def typed_of(request: Request) -> Typed:
    """Return what was typed in the form that the page answers."""
    typed: Typed = request.scope.get(_TYPED, NOTHING)
    return typed


def sent_code(request: Request, code: str) -> str:
    """Return the one-time code of the page's link, or that of the hidden field `code` if the page answers its form."""
    return str(typed_of(request).value("code", code))


@contextmanager
def explained(title: str, field: str, ending: str = N_("Nothing was changed.")) -> Iterator[None]:
    """Show a BridgeError of the store beside the field that it is about. `ending` says what happened to the rest."""
    try:
        yield
    except BridgeError as error:
        raise Refused(title, f"{sentence(error)} {_(ending)}", field=field) from None


async def page_again(request: Request, problems: Mapping[str, str], status: int) -> Response | None:
    """Return the page with the form that the request has sent. Return None if the page has no place for every problem."""
    sent = await request.form()
    fields = {name: [one for one in sent.getlist(name) if isinstance(one, str)] for name in sent}
    if not _is_ours(request, "".join(fields.get("form", ()))):
        return None
    path = request.url.path
    for page in (path, path.rpartition("/")[0]):
        typed = Typed(path, fields, problems)
        answer = await _get(request, page, typed)
        if answer is not None and typed.is_shown:
            answer.status_code = status
            return answer
    return None


def _is_ours(request: Request, token: str) -> bool:
    """Return True if the form's token is bound to one of our cookies: the session's, or before a login that of the login."""
    for name, cookie in request.cookies.items():
        if name.startswith(COOKIES):
            with suppress(HTTPException):
                check_form(cookie, token)
                return True
    return False


async def _get(request: Request, path: str, typed: Typed) -> Response | None:
    """Call the GET route of the path. Return None if the response is not a page."""
    scope: MutableMapping[str, Any] = {
        **request.scope,
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "path_params": {},
        _TYPED: typed,
    }
    head: list[Message] = []
    body: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.append(message)
        else:
            body.append(message.get("body", b""))

    try:
        await request.app.router(scope, receive, send)
    except HTTPException:  # no such route
        return None
    if not head or head[0]["status"] != 200:
        return None
    answer = Response(b"".join(body))
    answer.raw_headers = list(head[0]["headers"])
    return answer
