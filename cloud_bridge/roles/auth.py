"""`python -m cloud_bridge auth`: tells the cluster which units may log in, and what each may then publish and read."""

from collections.abc import Callable
from functools import partial

from cloud_bridge.app_state import AppState
from cloud_bridge.clock import SystemClock
from cloud_bridge.ingest.cluster.auth_service import AuthService
from cloud_bridge.ingest.inbound import Reporting
from cloud_bridge.roles.http import listen
from cloud_bridge.roles.opening import open_app_state
from cloud_bridge.roles.process import Duty
from cloud_bridge.roles.ready import Ready
from cloud_bridge.roles.role import Role
from cloud_bridge.roles.store_watch import watch_store
from cloud_bridge.settings import Settings
from cloud_bridge.web.health_app import create_health_app


async def serve(settings: Settings, ready: Ready) -> None:
    """Serve until a signal. Raises BridgeError."""
    async with open_app_state(settings, SystemClock, Role.AUTH) as app_state:
        with listen(app_state, create_health_app) as http:
            answering = duties(app_state, partial(ready, http.port))
            beside = [one.run(app_state.duties) for one in (app_state.security_log, app_state.unknown_clients)]
            await http.serve([*answering, watch_store(app_state), *beside])


def duties(app_state: AppState, answering: Callable[[], object] = lambda: None) -> list[Duty]:
    """The duties of this role; an empty list without a cluster, since our own broker and an outside one check logins
    themselves. `answering` is called as soon as logins are answered."""
    cluster = app_state.settings.cluster
    if cluster is None:
        return []
    reporting = Reporting(app_state.counters, app_state.security_log, app_state.unit_reports, app_state.unknown_clients)
    return [AuthService(cluster, app_state.database, reporting, app_state.clock, app_state.duties).run(answering)]
