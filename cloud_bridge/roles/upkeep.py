"""`python -m cloud_bridge upkeep`: what is done at regular times. Of several such processes only one works at a
time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.delivery import Means
from cloud_bridge.app_state import AppState
from cloud_bridge.authority_files import know_present_authority
from cloud_bridge.authority_sender import AuthoritySender
from cloud_bridge.clock import SystemClock
from cloud_bridge.duties import Duties
from cloud_bridge.leading import lead
from cloud_bridge.northbound.links import Links
from cloud_bridge.order_sender import OrderSender
from cloud_bridge.roles.http import listen
from cloud_bridge.roles.opening import open_app_state
from cloud_bridge.roles.process import Duty, do_beside, end_by_signal
from cloud_bridge.roles.ready import Ready
from cloud_bridge.roles.role import Role
from cloud_bridge.roles.store_watch import watch_store
from cloud_bridge.roles.way_out import way_out
from cloud_bridge.settings import Settings
from cloud_bridge.vehicles.polling.poller import poll_for_ever
from cloud_bridge.web.health_app import create_health_app


async def serve(settings: Settings, ready: Ready) -> None:
    """Serve until a signal. Raises BridgeError."""
    if settings.cluster is None:
        await _serve_beside(settings)
        return
    async with open_app_state(settings, SystemClock, Role.UPKEEP) as app_state, way_out(app_state):
        with listen(app_state, create_health_app) as http:
            async with alarm_of(app_state) as alarm:
                ready(http.port)
                await http.serve(
                    [*duties(app_state, alarm), watch_store(app_state), app_state.security_log.run(app_state.duties)]
                )


async def _serve_beside(settings: Settings) -> None:
    """Serve beside a process with the pages, which has the HTTP port of the settings, so that this one opens none."""
    stop = asyncio.Event()
    end_by_signal(stop.set)
    async with open_app_state(settings, SystemClock, Role.UPKEEP) as app_state, alarm_of(app_state) as alarm:
        await do_beside([*duties(app_state, alarm), app_state.security_log.run(app_state.duties)], stop.wait())


@asynccontextmanager
async def alarm_of(app_state: AppState) -> AsyncIterator[Alarm]:
    """The alarm of this process. At the end it waits until what is being sent has been sent or given up."""
    settings = app_state.settings
    alarm = Alarm(
        app_state.database,
        app_state.clock,
        Means(settings.mail, settings.public_url, app_state.push_key),
        app_state.counters,
        {name: provider.title for name, provider in app_state.accounts.catalogue.providers.items()},
    )
    try:
        yield alarm
    finally:
        await asyncio.to_thread(alarm.close)


def duties(app_state: AppState, alarm: Alarm) -> list[Duty]:
    """The duties that only one of all processes does at a time."""
    know_present_authority(app_state.database, app_state.settings)

    def work(group: Duties) -> Awaitable[object]:
        running = [
            app_state.upkeep.run(alarm, group),
            poll_for_ever(app_state.accounts, group),
            Links(app_state).run(group),
        ]
        if app_state.settings.cluster is not None:  # without one, only the process at the broker can send orders
            running += [AuthoritySender(app_state).run(group), OrderSender(app_state).run(group)]
        return asyncio.gather(*running)

    return [lead(app_state.leadership, app_state.duties, work, app_state.upkeep.stand_by)]
