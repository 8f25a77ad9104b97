"""The broker inside: amqtt keeps sessions and subscriptions and delivers commands, behind our own listener.

Nothing to install, good for some thousands of units. What a unit publishes never gets as far as amqtt: the listener stamps
it and takes it in.
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

LISTENER = "default"  # amqtt insists on the name


class EmbeddedBroker:
    """Broker and listener together. Created and used on one event loop."""

    def __init__(
        self,
        ingest: Ingest,
        credentials: Credentials,
        unknown_clients: UnknownClients,
        security_log: SecurityLog,
        budget: Budget,
    ) -> None:
        self.host = ""
        self.port = 0  # where it listens, once started
        self.tls_port: int | None = None
        self._credentials = credentials
        self._counters = ingest.counters
        # "External" listeners bind nothing, whatever their address says: connections come from the listener.
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
        """Raises OSError when it cannot listen there."""
        await self._broker.start()
        self.host = LOOPBACK if host in ANYWHERE else host
        self.port = await self._listener.listen(host, port)

    async def start_tls(self, host: str, port: int, certificate: Certificate) -> None:
        """Listen for TLS too. Raises OSError when it cannot."""
        self.tls_port = await self._listener.listen(host, port, certificate)

    def canary(self) -> Canary:
        """For this broker, once it is started."""
        return Canary(BrokerAddress(self.host, self.port, self._credentials.canary_secret), self._counters)

    async def stop(self) -> None:
        await self._listener.close()
        await self._broker.shutdown()
        self._credentials.close()

    @property
    def trouble(self) -> str | None:
        """None: what is not stored is not acknowledged."""
        return None

    @property
    def connections(self) -> int:
        return self._listener.connections

    @property
    def sessions(self) -> int:
        """How many sessions amqtt keeps, of connected units and of those that asked it to."""
        return len(self._broker.sessions)

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Publish a command to the unit. False if it has no connection now: nothing is kept for later here,
        because a command that arrives late is worse than one that must be given again."""
        if not self._listener.is_connected(unit_id):
            return False
        await self._broker.internal_message_broadcast(f"cp/{unit_id}/command", payload)
        return True

    async def pieces(self, unit_id: str, payloads: list[bytes]) -> bool:
        """Publish pieces of an update with QoS 0. False if the unit has no connection, hears no pieces, or has not read the
        ones before. They go past amqtt, which writes each as a TLS record and a segment of its own.
        """
        if not self._broker.hears_pieces(unit_id):
            return False
        return self._listener.send(unit_id, [packets.publish(f"cp/{unit_id}/piece", payload) for payload in payloads])
