"""The web side put together."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware

from cloud_bridge.house import House
from cloud_bridge.web import alerts_api, api, history_api, metrics, pages
from cloud_bridge.web.attempts import Attempts
from cloud_bridge.web.guard import Guard
from cloud_bridge.web.problems import answer_problems

STATIC = Path(__file__).with_name("static")
SMALLEST_ZIPPED = 500  # bytes; below that it fits in one packet anyway


def create_app(house: House) -> FastAPI:
    """Pages and interface over the running bridge."""
    app = FastAPI(title="Chargekeeper", docs_url=None, redoc_url=None)
    app.state.house = house
    app.state.attempts = Attempts()
    app.add_middleware(Guard)
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_ZIPPED)  # leaves event streams alone
    answer_problems(app)
    for router in (api.router, history_api.router, alerts_api.router, metrics.router, *pages.ROUTERS):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC))
    return app
