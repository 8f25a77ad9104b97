"""The web side put together."""

from functools import cache

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute

from cloud_bridge.app_state import AppState
from cloud_bridge.web import static_files
from cloud_bridge.web.api import (
    alerts,
    charge_points,
    commands,
    description,
    history,
    jobs,
    metrics,
    support,
    vehicles,
)
from cloud_bridge.web.connections import ConnectionTurns
from cloud_bridge.web.own_writes import OwnWrites
from cloud_bridge.web.pages.driver.looks import Looks
from cloud_bridge.web.pages.routers import ROUTERS
from cloud_bridge.web.problems import answer_problems, refusal
from cloud_bridge.web.public_address import PublicAddress
from cloud_bridge.web.security.attempts import Attempts
from cloud_bridge.web.security.challenges import Challenges
from cloud_bridge.web.security.head_as_get import HeadAsGet
from cloud_bridge.web.security.rates import Rates
from cloud_bridge.web.security.security_headers import SecurityHeaders
from cloud_bridge.web.security.text_check import TextCheck

SMALLEST_ZIPPED = 500  # bytes; below that it fits in one packet anyway


def create_app(app_state: AppState) -> FastAPI:
    """Pages and interface over the running bridge. Raises SettingError where npm's files were never fetched."""
    static_files.check()
    public_url = app_state.settings.public_url
    app = FastAPI(
        title="Chargekeeper",
        routes=_routes(),
        openapi_url=None,  # api/description.py asks who wants it
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # Starlette would lead to an absolute URL; problems.py leads to the path
        servers=[{"url": public_url}] if public_url else None,
    )
    app.state.bridge = app_state
    app.state.attempts = Attempts()
    app.state.rates = Rates()
    app.state.challenges = Challenges()
    app.state.looks = Looks(app_state)
    app.state.connection_turns = ConnectionTurns()
    app.add_middleware(TextCheck, refuse=refusal)
    app.add_middleware(SecurityHeaders, refuse=refusal)
    if app_state.standby is not None:
        app.add_middleware(OwnWrites, secure=public_url is not None and public_url.startswith("https://"))
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_ZIPPED)  # leaves event streams alone
    app.add_middleware(PublicAddress)
    app.add_middleware(HeadAsGet)
    answer_problems(app)
    return app


@cache
def _routes() -> list[BaseRoute]:
    """Once a process: FastAPI prepares them at their first request, which takes longer than most answers."""
    together = APIRouter()
    for router in (
        charge_points.router,
        history.router,
        commands.router,
        jobs.router,
        vehicles.router,
        support.router,
        alerts.router,
        metrics.router,
        description.router,
        static_files.router,
        *ROUTERS,
    ):
        together.include_router(router)
    return together.routes
