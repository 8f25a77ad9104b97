"""The app of a process without pages: health and metrics. It imports no page."""

from functools import cache

from fastapi import FastAPI
from starlette.routing import BaseRoute

from cloud_bridge.app_state import AppState
from cloud_bridge.web.api import health, metrics
from cloud_bridge.web.framework import app_of, together


def create_health_app(app_state: AppState) -> FastAPI:
    """Create the app for the running bridge."""
    return app_of(app_state, _routes())


@cache
def _routes() -> list[BaseRoute]:
    return together(health.router, metrics.router)
