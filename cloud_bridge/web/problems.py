"""Error responses: a page with the problem and a way on for people, and JSON for programs."""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, InterfaceError, TimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection

from cloud_bridge.errors import UnreadableRow
from cloud_bridge.passwords import HashingBusy
from cloud_bridge.store.error_text import reason_of
from cloud_bridge.web.errors import LoginNeeded, Refused
from cloud_bridge.web.form_errors import page_again
from cloud_bridge.web.page import page, to, viewer_of
from cloud_bridge.web.public_address import address_of, below
from cloud_bridge.web.readers_language import FOR_PROGRAMS
from cloud_bridge.web.translated_templates import template
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _
from cloud_bridge.words.language import language_now

_log = logging.getLogger(__name__)

# status: title; meaning and remedy
PROBLEMS = {
    403: (
        N_("That page was too old"),
        N_(
            "Nothing was changed. Go back, reload the page, and try again. If you have logged out meanwhile, log in again."
        ),
    ),
    404: (
        N_("Not here"),
        N_("There is nothing at this address that you can see. It may have been removed, or not be yours."),
    ),
    405: (N_("Not here"), N_("This address is not a page. Nothing was changed.")),
    408: (N_("That took too long"), N_("Nothing was stored. Your connection was too slow. Go back and try again.")),
    409: (N_("That was done already"), N_("Nothing was changed a second time.")),
    411: (N_("That was too large"), N_("Nothing was stored. Your browser did not say how much it was sending.")),
    413: (
        N_("That was too large"),
        N_(
            "Nothing was stored. Go back and send less: up to 60,000 characters, a file up to 60 kB, or a photo up to 10 MB."
        ),
    ),
    414: (N_("That was too large"), N_("This address is longer than any of ours. Nothing was changed.")),
    422: (N_("Something was missing"), N_("Nothing was changed. Go back, fill in every field, and try again.")),
    429: (N_("Too many tries"), N_("Wait a minute, then try again. This keeps strangers from guessing passwords.")),
    431: (
        N_("That was too large"),
        N_("Nothing was stored. Delete the cookies of this site in your browser, and try again."),
    ),
    503: (
        N_("We cannot reach our records"),
        N_("Nothing was changed. It is our fault, not yours, and your charger is not affected. Try again in a minute."),
    ),
}
UNSTORABLE = "a text with U+0000, or with a lone surrogate, or a value out of range"
OTHER = (
    N_("Something went wrong"),
    N_("It is our fault, not yours. Your charger is not affected. Go back and try again."),
)
START = "/"

UNREADABLE = (
    N_("This cannot be shown"),
    N_("It is stored, but its content is not valid. Everything else is not affected. Nothing was changed."),
)
BUSY = (N_("Many people are logging in"), N_("Nothing was changed. Go back and try again in a few seconds."))
STORE_AWAY = (DatabaseError, InterfaceError, TimeoutError)
RETRY_AFTER_S = 60
LOGIN_AGAIN_S = 5


def answer_problems(app: FastAPI) -> None:
    """Register the exception handlers."""
    app.add_exception_handler(LoginNeeded, _login_needed)  # type: ignore[arg-type]  # Starlette types them all as Exception
    app.add_exception_handler(Refused, _refused)  # type: ignore[arg-type]
    app.add_exception_handler(UnreadableRow, _unreadable)
    app.add_exception_handler(HTTPException, _problem_of)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]
    app.add_exception_handler(DataError, _unstorable)
    for error in STORE_AWAY:
        app.add_exception_handler(error, _store_away)
    app.add_exception_handler(HashingBusy, _hashing_busy)  # type: ignore[arg-type]
    app.add_exception_handler(ClientDisconnect, _client_has_left)
    app.add_exception_handler(Exception, _failed)


def refusal(request: HTTPConnection, status: int) -> Response:
    """Return the response to a request that middleware rejects before any route."""
    title = PROBLEMS.get(status, OTHER)[0]
    if _is_for_programs(request):
        if status in (404, 422):  # in FastAPI's format
            return JSONResponse({"detail": [{"loc": ["request"], "msg": UNSTORABLE, "type": "value_error"}]}, 422)
        return JSONResponse({"detail": title}, status)
    return HTMLResponse(problem_text(request, status), status)


def problem_text(request: HTTPConnection, status: int) -> str:
    """Return the page for somebody unknown, where the session was not looked up."""
    return _text(language_now(), address_of(request).root, *PROBLEMS.get(status, OTHER))


@cache
def _text(_language: str, root: str, title: str, meaning: str) -> str:
    html = template("everyone/problem.html").render(
        person=None, form="", path="", news=0, title=_(title), meaning=_(meaning), back=START
    )
    return below(root, html)


async def _problem(request: Request, status: int) -> Response:
    title, meaning = PROBLEMS.get(status, OTHER)
    content = {"title": _(title), "meaning": _(meaning), "back": _came_from(request)}
    try:
        person = await run_in_threadpool(viewer_of, request)
    except STORE_AWAY as error:  # the status of the request does not depend on who sent it
        _warn_of_store(error)
        person = None
    return page(request, "everyone/problem.html", person, status, **content)


def _came_from(request: Request) -> str:
    """Return the page whose form was refused, or the start page. Always a path of ours, whatever the Referer says."""
    came, root = urlsplit(request.headers.get("Referer", "")), address_of(request).root
    if request.method != "POST" or came.netloc != request.url.netloc:
        return START
    return "/" + came.path.removeprefix(root).lstrip("/")


async def _login_needed(request: Request, needed: LoginNeeded) -> Response:
    login = "/login" if needed.path == "/" else f"/login?next={quote(needed.path)}"
    if "HX-Request" in request.headers:  # htmx would insert the login page into this one
        return Response(status_code=401, headers={"HX-Redirect": login})
    return to(login)


async def _refused(request: Request, error: Refused) -> Response:
    if error.problems and request.method == "POST":
        again = await page_again(request, error.problems, error.status)
        if again is not None:
            return again
    content = {"title": error.title, "meaning": error.meaning, "back": _came_from(request)}
    return page(request, "everyone/problem.html", await run_in_threadpool(viewer_of, request), error.status, **content)


async def _unreadable(request: Request, error: Exception) -> Response:
    """Answer with 404 and an explanation. The address is right, but the error does not pass, so neither "wrong address" nor a
    500 would be true."""
    _log.warning("%s cannot be shown: %s", request.url.path, error)
    person = await run_in_threadpool(viewer_of, request)
    return page(
        request, "everyone/problem.html", person, 404, title=_(UNREADABLE[0]), meaning=_(UNREADABLE[1]), back=START
    )


async def _problem_of(request: Request, error: HTTPException) -> Response:
    if _is_for_programs(request):
        return await http_exception_handler(request, error)
    path = request.url.path
    if error.status_code == 404 and path.endswith("/") and path != START:  # people type a trailing slash
        return to("/" + path.strip("/"))
    return await _problem(request, error.status_code)


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    if _is_for_programs(request):
        # Leave out the input: it may be a secret, or a number that JSON cannot represent (NaN; 1e999 is parsed as infinity).
        told = [{name: one[name] for name in ("type", "loc", "msg")} for one in error.errors()]
        return JSONResponse({"detail": told}, 422)
    if any(one["loc"][0] in ("path", "query") for one in error.errors()):  # no page links to such an address
        return await _problem(request, 404)
    if request.method == "POST":
        again = await page_again(request, {str(one["loc"][1]): _in_words(one) for one in error.errors()}, 422)
        if again is not None:
            return again
    return await _problem(request, 413 if any(one["type"] == "string_too_long" for one in error.errors()) else 422)


def _in_words(error: Mapping[str, Any]) -> str:
    """Return FastAPI's error about a field in words."""
    match error["type"]:
        case "missing" | "string_too_short":
            return _("Fill this in.")
        case "string_too_long":
            return _("This is too long. At most {most} characters are stored.").format(most=error["ctx"]["max_length"])
    return _("This cannot be used. Check it, and try again.")


def _warn_of_store(error: Exception) -> None:
    _log.warning("a request did not reach the database: %s: %s", type(error).__name__, reason_of(error))


async def _store_away(request: Request, error: Exception) -> Response:
    """Answer with 503: the database is unreachable, refuses writes, is damaged, or another version of the bridge has changed
    its tables. Do not look up the person, who is in the same database."""
    if isinstance(error, IntegrityError):  # a statement of ours is wrong, so trying again is useless
        raise error
    _warn_of_store(error)
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    if _is_for_programs(request):
        return JSONResponse({"detail": "the database cannot be reached: try again"}, 503, headers)
    return HTMLResponse(problem_text(request, 503), 503, headers)


async def _unstorable(request: Request, _error: Exception) -> Response:
    """Answer with 422: the database refused a value that passed all our checks. The request is wrong, and so are the checks,
    so log an error."""
    _log.error("%s: the database refused a value of the request", request.url.path)
    return refusal(request, 422)


async def _hashing_busy(request: Request, _error: HashingBusy) -> Response:
    """Answer with 429. Many get this page at once, so it is cached."""
    return HTMLResponse(
        _text(language_now(), address_of(request).root, *BUSY), 429, {"Retry-After": str(LOGIN_AGAIN_S)}
    )


async def _client_has_left(_request: Request, _error: Exception) -> Response:
    """The client disconnected while sending its body. Nobody receives this response."""
    return Response(status_code=400)


async def _failed(request: Request, _error: Exception) -> Response:
    """Answer with 500: a fault of ours, whose traceback is logged. Do not look up the person, because the store may be what
    failed."""
    if _is_for_programs(request):
        return JSONResponse({"detail": "Internal Server Error"}, 500)
    return HTMLResponse(problem_text(request, 500), 500)


def _is_for_programs(request: HTTPConnection) -> bool:
    return request.url.path.startswith(FOR_PROGRAMS)
