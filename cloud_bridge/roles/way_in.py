"""The way in for units, open: our own broker's ports, a subscription at an outside broker, or a cluster's stream."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

from cloud_bridge.app_state import AppState
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.ingest.embedded import EmbeddedBroker
from cloud_bridge.ingest.jetstream import JetStreamIngest
from cloud_bridge.ingest.mqtt import MqttIngest
from cloud_bridge.listening_sockets import LOOPBACK
from cloud_bridge.roles.port_busy import port_busy
from cloud_bridge.settings import Settings


class Canaries(Protocol):
    """One, or one for each door: they go the way of the units, so that we know that we would hear them."""

    async def run(self, duties: Duties) -> None:
        """For ever."""
        ...


class WayIn(NamedTuple):
    """What is open."""

    canary: Canaries
    mqtt_port: int  # 0 where the broker is an outside one
    mqtts_port: int | None


@asynccontextmanager
async def way_in(app_state: AppState) -> AsyncIterator[WayIn]:
    """Closed at the end, and when only one of the ports could be had: a broker that was started has to be stopped.

    Raises PortBusy.
    """
    broker = app_state.broker
    try:
        if isinstance(broker, EmbeddedBroker):
            await _start_broker(app_state.settings, broker)
            yield WayIn(broker.canary(), broker.port, broker.tls_port)
        elif isinstance(broker, MqttIngest | JetStreamIngest):
            broker.start()
            yield WayIn(broker.canary(), 0, None)
    finally:
        await broker.stop()


async def _start_broker(settings: Settings, broker: EmbeddedBroker) -> None:
    """Plain MQTT on this machine; TLS wherever asked for, when there is a certificate."""
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
