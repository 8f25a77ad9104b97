"""The web app: the HTTP interface and all pages."""

from functools import cache

from fastapi import FastAPI
from starlette.routing import BaseRoute

from cloud_bridge.app_state import AppState
from cloud_bridge.support.photo_process import PhotoMaker
from cloud_bridge.web import static_files
from cloud_bridge.web.api import (
    alerts,
    charge_points,
    commands,
    commissioning,
    description,
    health,
    history,
    jobs,
    metrics,
    registration,
    reports,
    roll_outs,
    support,
    vehicles,
)
from cloud_bridge.web.framework import app_of, together
from cloud_bridge.web.pages.driver.looks import Looks
from cloud_bridge.web.pages.routers import ROUTERS


def create_app(app_state: AppState) -> FastAPI:
    """Create the app for the running bridge. Raises SettingError if the files from npm are missing."""
    static_files.check()
    app = app_of(app_state, _routes())
    app.state.looks = Looks(app_state)
    app.state.photos = PhotoMaker()
    return app


@cache
def _routes() -> list[BaseRoute]:
    return together(
        charge_points.router,
        registration.router,
        history.router,
        reports.router,
        commissioning.router,
        commands.router,
        jobs.router,
        roll_outs.router,
        vehicles.router,
        support.router,
        alerts.router,
        health.router,
        metrics.router,
        description.router,
        static_files.router,
        *ROUTERS,
    )
