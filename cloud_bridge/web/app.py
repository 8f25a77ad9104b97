"""The web side put together."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.middleware.base import RequestResponseEndpoint

from cloud_bridge.house import House
from cloud_bridge.web import api

STATIC = Path(__file__).with_name("static")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def create_app(house: House) -> FastAPI:
    """Pages and interface over the running bridge."""
    app = FastAPI(title="Chargekeeper", docs_url=None, redoc_url=None)
    app.state.house = house
    app.middleware("http")(_guard)
    app.include_router(api.router)
    return app


async def _guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Nothing inline, nothing from elsewhere, and no page that looks current when it is a copy."""
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
