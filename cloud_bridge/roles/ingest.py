"""`python -m cloud_bridge ingest`: writes what units send into the store. From an outside broker it takes one part of
the units (ingest/shard.py), from a cluster whatever arrives.
"""

import asyncio

from cloud_bridge.app_state import AppState
from cloud_bridge.clock import SystemClock
from cloud_bridge.roles.http import listen
from cloud_bridge.roles.opening import open_app_state
from cloud_bridge.roles.process import Duty, do_beside, end_by_signal
from cloud_bridge.roles.ready import Ready
from cloud_bridge.roles.role import Role
from cloud_bridge.roles.shard_keeping import keep_shard
from cloud_bridge.roles.way_in import WayIn, way_in
from cloud_bridge.settings import Settings
from cloud_bridge.telling_time import TimeTeller
from cloud_bridge.web.health_app import create_health_app


async def serve(settings: Settings, ready: Ready) -> None:
    """Serve until a signal. Raises BridgeError."""
    if settings.cluster is None:
        await _serve_part(settings)
        return
    async with open_app_state(settings, SystemClock, Role.INGEST) as app_state:
        with listen(app_state, create_health_app) as http:
            async with way_in(app_state) as opened:
                ready(http.port)
                await http.serve([*duties(app_state, opened), *without_pages(app_state)])


async def _serve_part(settings: Settings) -> None:
    """Serve a part of the units. Another process serves the pages and has the HTTP port of the settings, so this one
    opens none."""
    stop = asyncio.Event()
    end_by_signal(stop.set)
    async with open_app_state(settings, SystemClock, Role.INGEST) as app_state, way_in(app_state) as opened:
        await do_beside([*duties(app_state, opened), *without_pages(app_state)], stop.wait())


def duties(app_state: AppState, opened: WayIn) -> list[Duty]:
    """The duties that run beside the messages."""
    return [
        *(canary.run(app_state.duties) for canary in opened.canaries),
        TimeTeller(app_state).run(),
        app_state.unit_reports.run(app_state.duties),
        app_state.unknown_clients.run(app_state.duties),
        app_state.pieces.run(app_state.broker.pieces, app_state.duties),
        keep_shard(app_state),
    ]


def without_pages(app_state: AppState) -> list[Duty]:
    """The duties that run as well in a process without pages and upkeep."""
    return [app_state.security_log.run(app_state.duties), app_state.upkeep.keep_time_for_ever(app_state.duties)]
