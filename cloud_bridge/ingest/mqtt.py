"""Units on a broker that is not ours (mosquitto, or any other): the same contract, through a subscription.

The broker holds the secrets and the access list, so it vouches that a message on cp/<id>/... is of that unit. What
we cannot see there is when a message reached it. So a message counts as contact only if it is live:

    connecting --CONNACK, subscribed--> catching up --our marker came back--> live
        ^                                    |                                  |
        +------------------------------ connection lost -----------------------+

While we were away the broker kept messages for us, and it delivers them, and what it has to deliver again, before
anything published later. The marker is a message of our own, published at once after subscribing: what comes before
it was published before we were back and is stored, but is no contact. The time we were away is a gap in the ledger.

A message is acknowledged to the broker when it is committed, so killing this process loses nothing.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cloud_bridge.clock import Clock
from cloud_bridge.contact import UNIT_TOPICS
from cloud_bridge.counters import Counters
from cloud_bridge.ingest import home_assistant as home
from cloud_bridge.ingest.batched_paho import BatchedClient
from cloud_bridge.ingest.canary import BrokerAddress, Canary
from cloud_bridge.ingest.inbound import Ingest
from cloud_bridge.ingest.shard import ALL, Shard
from cloud_bridge.ingest.unit_registry import UnitRegistry
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.store.secrets import new_secret

KEEPALIVE_S = 20
RECONNECT_WITHIN_S = 5
IN_FLIGHT = 2000  # messages the store has not committed; then the broker waits (MQTT 5's receive maximum)
KEPT_S = 24 * 3600  # how long the broker keeps messages for us while we are away
COMMAND_WITHIN_S = 5.0
UNSUPPORTED_VERSION = 132  # the reason code of a broker that knows only MQTT 3.1.1

_log = logging.getLogger(__name__)


class MqttIngest:
    """One subscription; its callbacks run on paho's thread."""

    def __init__(
        self,
        address: BrokerAddress,
        ingest: Ingest,
        unit_registry: UnitRegistry,
        unknown_clients: UnknownClients,
        counters: Counters,
        clock: Clock,
        shard: Shard = ALL,
        home_assistant: bool = False,
    ) -> None:
        self.live = Event()  # set while messages count as contact
        self._address = address
        self._ingest = ingest
        self._unit_registry = unit_registry
        self._unknown_clients = unknown_clients
        self._counters = counters
        self._clock = clock
        self._shard = shard
        self._home_assistant = home_assistant
        self._introduced: set[str] = set()  # to Home Assistant, since the start
        self._name = shard.bridge_id
        self._marker = b""
        self._loop = asyncio.get_running_loop()
        self._client = self._make(MQTTProtocolVersion.MQTTv5)

    def start(self) -> None:
        """Connects in the background and keeps at it."""
        self._connect()

    async def stop(self) -> None:
        """The broker keeps what comes for us from now on."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def canary(self) -> Canary:
        """A client of its own on the same broker, heard by this part."""
        return Canary(self._address, self._counters, self._shard.canary_id)

    @property
    def connections(self) -> int:
        """Of units; only their broker knows."""
        return 0

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Publish a command; True when the broker has taken it, which delivers it when the unit is there."""
        return await asyncio.to_thread(self._publish_command, unit_id, payload)

    def _publish_command(self, unit_id: str, payload: bytes) -> bool:
        sent = self._client.publish(f"cp/{unit_id}/command", payload, 1)
        try:
            sent.wait_for_publish(COMMAND_WITHIN_S)
        except (ValueError, RuntimeError):  # not connected
            return False
        return sent.is_published()

    def _make(self, version: MQTTProtocolVersion) -> BatchedClient:
        client = BatchedClient(
            self._loop,
            client_id=self._name,
            clean_session=False if version is MQTTProtocolVersion.MQTTv311 else None,  # MQTT 5 says it in connect()
            protocol=version,
        )
        client.username_pw_set(self._name, self._address.secret)
        if self._address.tls is not None:
            client.tls_set_context(self._address.tls)
        client.reconnect_delay_set(1, RECONNECT_WITHIN_S)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _connect(self) -> None:
        options: dict[str, Any] = {}
        if self._client.protocol == MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types there
            properties.SessionExpiryInterval = KEPT_S
            properties.ReceiveMaximum = IN_FLIGHT
            options = {"clean_start": False, "properties": properties}
        self._client.connect_async(self._address.host, self._address.port, KEEPALIVE_S, **options)
        self._client.loop_start()

    # Called by paho on its thread.

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.value == UNSUPPORTED_VERSION and client.protocol == MQTTProtocolVersion.MQTTv5:
            client.disconnect()
            self._client = self._make(MQTTProtocolVersion.MQTTv311)
            self._connect()
        elif code.is_failure:
            _log.error("the broker refuses us: %s", code)
        else:
            client.subscribe([(f"cp/+/{kind}", 1) for kind in sorted(UNIT_TOPICS)])

    def _on_subscribe(self, client: paho.Client, _data: Any, _mid: int, codes: Any, _properties: Any) -> None:
        if any(code.is_failure for code in codes):
            _log.error("the broker refuses our subscriptions: its access list lets us not read cp/#")
            return
        self._marker = new_secret().encode()
        client.publish(f"cp/{self._name}/heartbeat", self._marker, 1)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self.live.clear()
        if code.is_failure:
            _log.warning("the connection to the broker was lost: %s", code)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        now_ms = self._clock.now_ms()
        acknowledge = partial(self._client.batched.acknowledge, message.mid)
        _, unit_id, kind = message.topic.split("/")  # as subscribed
        if message.retain:
            self._counters.dropped_retained += 1
        elif unit_id.startswith("_"):
            if unit_id == self._name and message.payload == self._marker:
                self.live.set()
            elif unit_id != self._shard.canary_id or not self.live.is_set():
                acknowledge()
                return
            self._ingest.take_canary(now_ms, acknowledge)
            return
        elif not self._shard.takes(unit_id):
            pass
        elif not self._unit_registry.has(unit_id):
            self._counters.quarantined += 1
            self._unknown_clients.saw(unit_id[:36], now_ms)
        elif self.live.is_set() and not message.dup:
            written = partial(self._written, unit_id, now_ms, acknowledge) if self._home_assistant else acknowledge
            self._ingest.take(unit_id, kind, bytes(message.payload), now_ms, False, written)
            return
        else:
            self._ingest.take_late(unit_id, kind, bytes(message.payload), now_ms, acknowledge)
            return
        acknowledge()

    # Called on the event loop.

    def _written(self, unit_id: str, at_ms: int, acknowledge: Callable[[], None]) -> None:
        acknowledge()
        if unit_id not in self._introduced:
            self._introduced.add(unit_id)
            self._client.publish(*home.what_it_is(unit_id), qos=1, retain=True)
        self._client.publish(*home.contacted(unit_id, at_ms))
