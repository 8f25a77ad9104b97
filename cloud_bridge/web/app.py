"""The web side put together."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from cloud_bridge.house import House
from cloud_bridge.web import api, pages
from cloud_bridge.web.guard import Guard

STATIC = Path(__file__).with_name("static")


def create_app(house: House) -> FastAPI:
    """Pages and interface over the running bridge."""
    app = FastAPI(title="Chargekeeper", docs_url=None, redoc_url=None)
    app.state.house = house
    app.add_middleware(Guard)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=STATIC))
    return app
