"""`python -m cloud_bridge auth`: tells the cluster which unit may log in, and what it may then publish and read."""

from cloud_bridge.clock import SystemClock
from cloud_bridge.roles.http import listen
from cloud_bridge.roles.opening import open_app_state
from cloud_bridge.roles.ready import Ready
from cloud_bridge.roles.role import Role
from cloud_bridge.roles.store_watch import watch_store
from cloud_bridge.settings import Settings
from cloud_bridge.web.app import create_health_app


async def serve(settings: Settings, ready: Ready) -> None:
    """Until a signal. Raises BridgeError."""
    async with open_app_state(settings, SystemClock, Role.AUTH) as app_state:
        with listen(app_state, create_health_app) as http:
            ready(http.port)
            await http.serve([watch_store(app_state), app_state.security_log.run(app_state.duties)])
