"""The web side put together."""

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from cloud_bridge.app_state import AppState
from cloud_bridge.web import alerts_api, api, history_api, metrics, pages, static_files
from cloud_bridge.web.attempts import Attempts
from cloud_bridge.web.connections import ConnectionTurns
from cloud_bridge.web.problems import answer_problems
from cloud_bridge.web.rates import Rates
from cloud_bridge.web.security_headers import SecurityHeaders

SMALLEST_ZIPPED = 500  # bytes; below that it fits in one packet anyway


def create_app(app_state: AppState) -> FastAPI:
    """Pages and interface over the running bridge. Raises SettingError where npm's files were never fetched."""
    static_files.check()
    app = FastAPI(title="Chargekeeper", docs_url=None, redoc_url=None)
    app.state.bridge = app_state
    app.state.attempts = Attempts()
    app.state.rates = Rates()
    app.state.connection_turns = ConnectionTurns()
    app.add_middleware(SecurityHeaders)
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_ZIPPED)  # leaves event streams alone
    answer_problems(app)
    for router in (
        api.router,
        history_api.router,
        alerts_api.router,
        metrics.router,
        static_files.router,
        *pages.ROUTERS,
    ):
        app.include_router(router)
    return app
