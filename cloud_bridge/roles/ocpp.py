"""`python -m cloud_bridge ocpp`: a door of a cluster for chargers of other makers. There may be any number of these
processes behind a proxy."""

import asyncio
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.app_state import AppState
from cloud_bridge.clock import SystemClock
from cloud_bridge.errors import SettingError
from cloud_bridge.ingest.ocpp.other_doors import OtherDoors
from cloud_bridge.roles.http import listen
from cloud_bridge.roles.ingest import without_pages
from cloud_bridge.roles.opening import open_app_state
from cloud_bridge.roles.ready import Ready
from cloud_bridge.roles.role import NO_OCPP_PORT, Role
from cloud_bridge.roles.way_in import way_in
from cloud_bridge.settings import Settings
from cloud_bridge.web.health_app import create_health_app


async def serve(settings: Settings, ready: Ready) -> None:
    """Serve until a signal. Raises BridgeError."""
    async with open_app_state(settings, SystemClock, Role.OCPP) as app_state:
        others = _others(app_state)
        app_state.duties.require(lambda: app_state.duties.reason("ocpp_canary"))
        with listen(app_state, create_health_app) as http:
            try:
                with suppress(SQLAlchemyError):  # the database has just become unavailable; the duty tries again
                    await others.look()
                async with way_in(app_state) as opened:
                    ready(http.port, ocpp_port=opened.ocpp_port, ocpps_port=opened.ocpps_port)
                    running = app_state.duties
                    beside = [canary.run(running) for canary in opened.canaries]
                    beside += [app_state.unit_reports.run(running), app_state.unknown_clients.run(running)]
                    await http.serve([*beside, others.run(running), *without_pages(app_state)])
            finally:
                with suppress(SQLAlchemyError):
                    await asyncio.to_thread(others.end)


def _others(app_state: AppState) -> OtherDoors:
    if app_state.ocpp is None:  # role.check has already checked this
        raise SettingError(NO_OCPP_PORT)
    return OtherDoors(app_state.database, app_state.clock, app_state.ocpp, app_state.unit_reports.door)
