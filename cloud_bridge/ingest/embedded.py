"""The embedded broker: amqtt behind our own listener.

It needs no installation and serves some thousands of units. amqtt keeps sessions and subscriptions and delivers
commands. Messages that a unit publishes do not reach amqtt: the listener timestamps and processes them.
"""

from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType

from cloud_bridge.connection_limits import Budget
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.admission import Admission
from cloud_bridge.ingest.canary import BrokerAddress, Canary
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.ingest.credentials import Credentials
from cloud_bridge.ingest.inbound import Ingest
from cloud_bridge.ingest.listener import MqttListener
from cloud_bridge.ingest.unit_broker import UnitBroker
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.listening_sockets import ANYWHERE, LOOPBACK
from cloud_bridge.security_log import SecurityLog

LISTENER = "default"  # amqtt requires this name


class EmbeddedBroker:
    """Broker and listener. Created and used on one event loop."""

    def __init__(
        self,
        ingest: Ingest,
        credentials: Credentials,
        unknown_clients: UnknownClients,
        security_log: SecurityLog,
        budget: Budget,
    ) -> None:
        self.host = ""
        self.port = 0  # set by `start`
        self.tls_port: int | None = None
        self._credentials = credentials
        self._counters = ingest.counters
        # amqtt's "external" listeners bind no address: connections come from our listener.
        listener = ListenerConfig(type=ListenerType.EXTERNAL, bind="listener")
        plugin = "cloud_bridge.ingest.plugin.UnitsOnly"
        self._broker = UnitBroker(BrokerConfig(listeners={LISTENER: listener}, plugins={plugin: {}}))
        self._listener = MqttListener(
            ingest,
            Admission(credentials, unknown_clients, security_log, ingest.counters, ingest.clock),
            lambda reader, writer: self._broker.external_connected(reader, writer, LISTENER),
            budget,
        )

    async def start(self, host: str, port: int) -> None:
        """Start the broker and listen without TLS. Raises OSError if that fails."""
        await self._broker.start()
        self.host = LOOPBACK if host in ANYWHERE else host
        self.port = await self._listener.listen(host, port)

    async def start_tls(self, host: str, port: int, certificate: Certificate) -> None:
        """Listen with TLS too. Raises OSError if that fails."""
        self.tls_port = await self._listener.listen(host, port, certificate)

    def canary(self) -> Canary:
        """Return a canary for this broker. Call this after `start`."""
        return Canary(BrokerAddress(self.host, self.port, self._credentials.canary_secret), self._counters)

    async def stop(self) -> None:
        await self._listener.close()
        await self._broker.shutdown()
        self._credentials.close()

    @property
    def trouble(self) -> str | None:
        """None, since a message that is not stored is not acknowledged."""
        return None

    @property
    def connections(self) -> int:
        return self._listener.connections

    @property
    def sessions(self) -> int:
        """The number of amqtt's sessions: of connected units, and persistent sessions."""
        return len(self._broker.sessions)

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Publish a command to the unit. Return False if it is not connected. Commands are not queued, because a
        command that arrives late is worse than one that has to be given again."""
        if not self._listener.is_connected(unit_id):
            return False
        await self._broker.internal_message_broadcast(f"cp/{unit_id}/command", payload)
        return True

    async def pieces(self, unit_id: str, payloads: list[bytes]) -> bool:
        """Publish pieces of an update with QoS 0. Return False if the unit is not connected, has not subscribed to
        pieces, or has not read the previous ones. The pieces bypass amqtt, which would send each in a TLS record and a
        segment of its own.
        """
        if not self._broker.hears_pieces(unit_id):
            return False
        return self._listener.send(unit_id, [packets.publish(f"cp/{unit_id}/piece", payload) for payload in payloads])
