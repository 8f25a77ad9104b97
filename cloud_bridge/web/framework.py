"""The FastAPI app and its middleware, for processes with pages and for those without."""

from functools import partial

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute

from cloud_bridge.app_state import AppState
from cloud_bridge.web.connections import ConnectionTurns
from cloud_bridge.web.own_writes import OwnWrites
from cloud_bridge.web.problems import answer_problems, refusal
from cloud_bridge.web.public_address import PublicAddress
from cloud_bridge.web.readers_language import ReadersLanguage
from cloud_bridge.web.security.attempts import Attempts
from cloud_bridge.web.security.challenges import Challenges
from cloud_bridge.web.security.head_as_get import HeadAsGet
from cloud_bridge.web.security.rates import Rates
from cloud_bridge.web.security.security_headers import SecurityHeaders
from cloud_bridge.web.security.text_check import TextCheck

PASSKEY_CHALLENGES = "passkey challenges"  # context from which their key is derived
SMALLEST_ZIPPED = 500  # bytes; smaller responses fit in one packet


def app_of(app_state: AppState, routes: list[BaseRoute]) -> FastAPI:
    """Create the app for the running bridge."""
    public_url = app_state.settings.public_url
    app = FastAPI(
        title="Chargekeeper",
        routes=routes,
        openapi_url=None,  # api/description.py serves it, after an access check
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # Starlette would redirect to an absolute URL; problems.py redirects to the path
        servers=[{"url": public_url}] if public_url else None,
    )
    app.state.bridge = app_state
    app.state.attempts = Attempts()
    app.state.rates = Rates()
    app.state.challenges = Challenges(partial(app_state.second_factors.derived_key, PASSKEY_CHALLENGES))
    app.state.connection_turns = ConnectionTurns()
    app.add_middleware(TextCheck, refuse=refusal)
    app.add_middleware(SecurityHeaders, refuse=refusal)
    if app_state.standby is not None:
        app.add_middleware(OwnWrites, secure=public_url is not None and public_url.startswith("https://"))
    app.add_middleware(ReadersLanguage)
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_ZIPPED)  # leaves event streams uncompressed
    app.add_middleware(PublicAddress)
    app.add_middleware(HeadAsGet)
    answer_problems(app)
    return app


def together(*routers: APIRouter) -> list[BaseRoute]:
    """Return the routes of all routers. FastAPI prepares routes at their first request, which takes longer than most
    responses, so call this only once in a process."""
    one = APIRouter()
    for router in routers:
        one.include_router(router)
    return one.routes
