"""`python -m cloud_bridge web`: pages and interface. What they show is read from the store; commands go to the
cluster."""

import asyncio
from functools import partial

from cloud_bridge.app_state import AppState
from cloud_bridge.clock import SystemClock
from cloud_bridge.roles.home import home_door
from cloud_bridge.roles.http import listen
from cloud_bridge.roles.opening import open_app_state
from cloud_bridge.roles.process import Duty
from cloud_bridge.roles.ready import Ready
from cloud_bridge.roles.role import Role
from cloud_bridge.roles.store_watch import watch_store
from cloud_bridge.roles.way_out import way_out
from cloud_bridge.settings import Settings
from cloud_bridge.store.standby import LOOK_EVERY_S
from cloud_bridge.web.app import create_app


async def serve(settings: Settings, ready: Ready) -> None:
    """Serve until a signal. Raises BridgeError."""
    async with open_app_state(settings, SystemClock, Role.WEB) as app_state, way_out(app_state):
        with listen(app_state, create_app) as http:
            async with home_door(app_state) as home:
                ready(http.port, home_ports=home.ports)
                standing_by = [watch_store(app_state), app_state.upkeep.stand_by(app_state.duties)]
                await http.serve([*standing_by, *duties(app_state), *home.duties])


def duties(app_state: AppState) -> list[Duty]:
    """The duties that run beside its requests."""
    standby, running = app_state.standby, app_state.duties
    look = [] if standby is None else [running.every(LOOK_EVERY_S, "standby", partial(asyncio.to_thread, standby.look))]
    return [app_state.security_log.run(running), *look]
