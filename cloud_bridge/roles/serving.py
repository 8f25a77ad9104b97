"""Runs a role, given its name, until its process ends."""

from collections.abc import Awaitable, Callable
from importlib import import_module

from cloud_bridge.alerts.mail import read_server
from cloud_bridge.importing import importing
from cloud_bridge.roles.process import have_threads, raise_file_limit
from cloud_bridge.roles.ready import Ready
from cloud_bridge.roles.role import Role, check
from cloud_bridge.settings import Settings

# Only the module of the role is imported: the pages take half a second and 20 MB.
MODULES = {
    Role.ALL: "everything",
    Role.WEB: "web",
    Role.INGEST: "ingest",
    Role.AUTH: "auth",
    Role.OCPP: "ocpp",
    Role.UPKEEP: "upkeep",
}


async def serve(role: Role, settings: Settings, ready: Ready) -> None:
    """Serve until a signal of process.ENDING. `ready` is called as soon as all ports are open.

    Raises SettingError if the settings do not fit the role, StoreUnusable and PortBusy.
    """
    check(role, settings)
    raise_file_limit()
    have_threads()
    if settings.mail is not None:
        read_server(settings.mail)  # raises an error if the setting is wrong
    with importing():
        module = import_module(f"cloud_bridge.roles.{MODULES[role]}")
    serve_role: Callable[[Settings, Ready], Awaitable[None]] = module.serve
    await serve_role(settings, ready)
