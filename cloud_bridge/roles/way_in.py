"""Opens the way in for units: our own broker's ports, a subscription at an outside broker, or a cluster's stream."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

from cloud_bridge.app_state import AppState
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.ingest.cluster.ocpp_link import OcppLink
from cloud_bridge.ingest.embedded import EmbeddedBroker
from cloud_bridge.ingest.jetstream import JetStreamIngest
from cloud_bridge.ingest.mqtt import MqttIngest
from cloud_bridge.ingest.ocpp.door import OcppDoor
from cloud_bridge.ingest.ocpp.door_canary import DoorCanary
from cloud_bridge.listening_sockets import LOOPBACK
from cloud_bridge.roles.port_busy import port_busy
from cloud_bridge.settings import Settings


class Canaries(Protocol):
    """One canary, or one for each door. Canaries take the same way as the units' messages, which proves that units
    would be heard."""

    async def run(self, duties: Duties) -> None:
        """Run for ever."""
        ...


class WayIn(NamedTuple):
    """The open ports, and what belongs to them."""

    canaries: Sequence[Canaries]
    mqtt_port: int  # 0 where the broker is an outside one
    mqtts_port: int | None
    ocpp_port: int | None = None
    ocpps_port: int | None = None


@asynccontextmanager
async def way_in(app_state: AppState) -> AsyncIterator[WayIn]:
    """Open the way in. It is closed at the end, and also if only one of the ports could be opened, since a started
    broker has to be stopped.

    Raises PortBusy.
    """
    broker, ocpp = app_state.broker, app_state.ocpp
    try:
        if isinstance(broker, EmbeddedBroker):
            await _start_broker(app_state.settings, broker)
            ports = await _open_ocpp(app_state.settings, ocpp)
            yield WayIn([broker.canary(), *_canaries(ocpp)], broker.port, broker.tls_port, *ports)
        elif isinstance(broker, MqttIngest | JetStreamIngest):
            broker.start()
            ports = await _open_ocpp(app_state.settings, ocpp)
            yield WayIn([broker.canary(), *_canaries(ocpp)], 0, None, *ports)
        elif isinstance(broker, OcppLink) and ocpp is not None:
            broker.start(ocpp)
            ports = await _open_ocpp(app_state.settings, ocpp)
            yield WayIn(_canaries(ocpp), 0, None, *ports)
    finally:
        if ocpp is not None:
            await ocpp.close()
        await broker.stop()


def _canaries(door: OcppDoor | None) -> list[DoorCanary]:
    return [] if door is None else [door.canary()]


async def _start_broker(settings: Settings, broker: EmbeddedBroker) -> None:
    """Start the broker: plain MQTT on this machine, and TLS where the settings ask for it, if there is a
    certificate."""
    plain_host = settings.host if settings.mqtt_plain_anywhere else LOOPBACK
    try:
        await broker.start(plain_host, settings.mqtt_port)
    except OSError as error:
        raise port_busy("CHARGEKEEPER_MQTT_PORT", settings.mqtt_port, error) from error
    if settings.tls_cert is None:
        return
    certificate = Certificate(settings.tls_cert, settings.tls_key or settings.tls_cert)
    try:
        await broker.start_tls(settings.host, settings.mqtts_port, certificate)
    except OSError as error:
        raise port_busy("CHARGEKEEPER_MQTTS_PORT", settings.mqtts_port, error) from error


async def _open_ocpp(settings: Settings, door: OcppDoor | None) -> tuple[int | None, int | None]:
    """Open the ports as the broker does: the plain one only for this machine, unless the settings ask for more. Returns
    the open ports."""
    if door is None:
        return None, None
    plain_host = settings.host if settings.ocpp_plain_anywhere else LOOPBACK
    plain = await _listen(door, "CHARGEKEEPER_OCPP_PORT", plain_host, settings.ocpp_port, None)
    if settings.ocpps_port is None or settings.tls_cert is None:
        return plain, None
    certificate = Certificate(settings.tls_cert, settings.tls_key or settings.tls_cert)
    return plain, await _listen(door, "CHARGEKEEPER_OCPPS_PORT", settings.host, settings.ocpps_port, certificate)


async def _listen(
    door: OcppDoor, name: str, host: str, port: int | None, certificate: Certificate | None
) -> int | None:
    try:
        return None if port is None else await door.listen(host, port, certificate)
    except OSError as error:
        raise port_busy(name, port or 0, error) from error
