"""A role, from its name to the end of its process."""

from collections.abc import Awaitable, Callable

from cloud_bridge.alerts.mail import read_server
from cloud_bridge.roles import auth, everything, ingest, upkeep, web
from cloud_bridge.roles.process import raise_file_limit
from cloud_bridge.roles.ready import Ready
from cloud_bridge.roles.role import Role, check
from cloud_bridge.settings import Settings

SERVE: dict[Role, Callable[[Settings, Ready], Awaitable[None]]] = {
    Role.ALL: everything.serve,
    Role.WEB: web.serve,
    Role.INGEST: ingest.serve,
    Role.AUTH: auth.serve,
    Role.UPKEEP: upkeep.serve,
}


async def serve(role: Role, settings: Settings, ready: Ready) -> None:
    """Until a signal of process.ENDING. `ready` is called once all ports are open.

    Raises SettingError where the settings are not those of the role, StoreUnusable and PortBusy.
    """
    check(role, settings)
    raise_file_limit()
    if settings.mail is not None:
        read_server(settings.mail)  # it may refuse the setting
    await SERVE[role](settings, ready)
