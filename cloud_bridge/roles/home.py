"""The door for Home Assistant, if it is enabled, in a process that serves the pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from cloud_bridge.app_state import AppState
from cloud_bridge.home.door import HomeDoor
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.listening_sockets import LOOPBACK
from cloud_bridge.roles.port_busy import port_busy
from cloud_bridge.roles.process import Duty


class OpenedHome(NamedTuple):
    """The open ports without TLS and with it; None for a port that is not open."""

    duties: list[Duty]
    ports: tuple[int | None, int | None] = (None, None)


@asynccontextmanager
async def home_door(app_state: AppState) -> AsyncIterator[OpenedHome]:
    """Open the ports as the broker does: the plain one only for this machine, unless the settings ask for more. Raises
    PortBusy."""
    settings = app_state.settings
    if settings.home_port is None and settings.home_tls_port is None:
        yield OpenedHome([])
        return
    door = HomeDoor(app_state)
    try:
        plain_host = settings.host if settings.mqtt_plain_anywhere else LOOPBACK
        port = _listen(door, "CHARGEKEEPER_HOME_PORT", plain_host, settings.home_port, None)
        tls_port = None
        if settings.home_tls_port is not None and settings.tls_cert is not None:
            certificate = Certificate(settings.tls_cert, settings.tls_key or settings.tls_cert)
            tls_port = _listen(door, "CHARGEKEEPER_HOME_TLS_PORT", settings.host, settings.home_tls_port, certificate)
        yield OpenedHome([door.run()], (port, tls_port))
    finally:
        door.close()


def _listen(door: HomeDoor, name: str, host: str, port: int | None, certificate: Certificate | None) -> int | None:
    try:
        return None if port is None else door.listen(host, port, certificate)
    except OSError as error:
        raise port_busy(name, port or 0, error) from error
