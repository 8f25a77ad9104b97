"""Ingest from an outside broker (mosquitto or any other), through a subscription.

The broker has the secrets and the access list, so it guarantees that a message on cp/<id>/... is from that unit. It
does not tell when a message reached it. So a message counts as contact only if it is live:

    connecting --CONNACK, subscribed--> catching up --our marker came back--> live
        ^                                    |                                  |
        +------------------------------ connection lost -----------------------+

While we are disconnected the broker queues messages for us. It delivers them, and redelivers unacknowledged ones,
before anything that is published later. The marker is a message of our own, published immediately after subscribing.
Messages before the marker were published before we reconnected: they are stored, but are no contact. The time without a
connection is an outage in the ledger.

A message is acknowledged to the broker when it is committed, so killing this process loses nothing.

Our own registry (unit_registry.py), refreshed once a second on the event loop, determines which ids are units and which
are revoked. Messages of a revoked unit are dropped, whatever the broker does: they are neither contact nor stored. We
cannot see with which secret a connection was opened. So after a change of secret, a connection that was opened with the
old one counts until the broker knows the new one. `unit secret` therefore reloads the broker, or says what is left to
do.

A shard (shard.py) takes the live messages of its own units, and the queued messages of all units: when the number of
shards changes, a unit moves to a shard that may not have had a session at the broker yet. A record that two shards
receive is stored once (store/journal.py).

A message of an id that is not in the registry waits, unacknowledged, for the next read of the registry that starts
after its arrival, since the unit may just have been added. While the database cannot be read it waits longer. It is not
lost, even if this process is killed.

A retained message of a unit would be delivered on every connection, so it is cleared by publishing an empty retained
message. An empty message is therefore never contact: it means that somebody has cleared a topic.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Event, Lock
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cloud_bridge.contact import UNIT_TOPICS
from cloud_bridge.errors import StoreUnusable
from cloud_bridge.ingest import home_assistant as home
from cloud_bridge.ingest.batched_paho import BatchedClient
from cloud_bridge.ingest.canary import BrokerAddress, Canary
from cloud_bridge.ingest.inbound import Ingest
from cloud_bridge.ingest.unit_registry import RegistryUpdate, UnitRegistry, UnitStatus
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.store.commands import ANSWER_MS
from cloud_bridge.store.secrets import new_secret

KEEPALIVE_S = 20
RECONNECT_WITHIN_S = 5
IN_FLIGHT = 2000  # uncommitted messages; at this number the broker waits (MQTT 5's Receive Maximum)
KEPT_S = 24 * 3600  # how long the broker queues messages for us while we are disconnected
COMMAND_WITHIN_S = 5.0
UNSUPPORTED_VERSION = 132  # the reason code of a broker that supports only MQTT 3.1.1
REFRESH_EVERY_S = 1.0  # of the registry; messages of a revoked unit count for at most this time plus one read
LOOKUP_AFTER_S = 0.1  # between two reads, if messages of unknown ids are waiting
READ_WITHIN_S = 5.0  # a slower read is counted and logged as a failure; the next one starts only after it
PENDING = IN_FLIGHT  # messages of unknown ids that wait for the registry; with MQTT 5 the broker does not send more
RENEW_EVERY_S = 60.0  # the shortest time between two reconnects for the redelivery of messages

_log = logging.getLogger(__name__)


class Delivery(NamedTuple):
    """A message on the topic of a unit, or of an id that may be a unit, as the broker delivered it."""

    unit_id: str
    kind: str
    payload: bytes
    received_ms: int
    is_live: bool  # published while we were connected, and not a redelivery
    is_retained: bool
    acknowledge: Callable[[], None]


class MqttIngest:
    """The subscription to the outside broker. Callbacks run on paho's thread."""

    def __init__(
        self,
        address: BrokerAddress,
        ingest: Ingest,
        unit_registry: UnitRegistry,
        unknown_clients: UnknownClients,
        discovery: home.Discovery | None = None,
    ) -> None:
        self.live = Event()  # set while messages count as contact
        self._address = address
        self._ingest = ingest
        self._unit_registry = unit_registry
        self._unknown_clients = unknown_clients
        self._counters = ingest.counters
        self._clock = ingest.clock
        self._shard = ingest.shard
        self._discovery = discovery
        self._introduced: set[str] = set()  # units announced to Home Assistant since the start
        self._name = ingest.shard.bridge_id
        self._marker = b""
        self._loop = asyncio.get_running_loop()
        self._refreshing: asyncio.Task[None] | None = None
        self._reader = ThreadPoolExecutor(1, "unit registry")  # of its own, so that pages cannot delay a read
        self._lookup_due = asyncio.Event()
        self._refresh_after_s = 0.0  # the first read starts at once
        self._registry_trouble: str | None = None  # why the registry could not be read; None if it can
        self._lock = Lock()  # messages are processed on paho's thread, or on the event loop if they had to wait
        self._pending: list[Delivery] = []
        self._renewal_due = False  # a message was left unacknowledged and is not pending
        self._renewed_s = -RENEW_EVERY_S
        self._cleared: set[str] = set()  # retained topics that were cleared on this connection
        self._refused: set[int] = set()  # packet ids of our last publishes that the broker did not authorise
        self._client = self._make(MQTTProtocolVersion.MQTTv5)

    def start(self) -> None:
        """Connect in the background, and reconnect when the connection is lost."""
        self._refreshing = self._loop.create_task(self._refresh_registry())
        self._connect()

    async def stop(self) -> None:
        """Disconnect. From now on the broker queues messages for us."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait({self._refreshing})
        self._reader.shutdown(wait=False)
        with suppress(OSError):  # paho's thread has just closed the connection
            self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def canary(self) -> Canary:
        """Return the canary of this shard, a separate client on the same broker."""
        return Canary(self._address, self._counters, self._shard.canary_id)

    @property
    def trouble(self) -> str | None:
        """None, since a message that is not stored is not acknowledged, or is queued by the broker."""
        return None

    @property
    def connections(self) -> int:
        """Always 0: only the broker knows the connections of units."""
        return 0

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Publish a command. Return True if the broker has acknowledged it. With MQTT 5 it expires after ANSWER_MS.

        Return False also if the broker's access list does not allow it; with MQTT 3.1.1 a broker cannot report that.
        """
        return await asyncio.to_thread(self._publish_command, unit_id, payload)

    async def pieces(self, unit_id: str, payloads: list[bytes]) -> bool:
        """Publish pieces of an update with QoS 0. Return False if there is no connection to the broker; paho would
        queue them."""
        return await asyncio.to_thread(self._publish_pieces, f"cp/{unit_id}/piece", payloads)

    def _publish_pieces(self, topic: str, payloads: list[bytes]) -> bool:
        return all(self._is_connected() and self._client.publish(topic, payload, 0).rc == 0 for payload in payloads)

    def _publish_command(self, unit_id: str, payload: bytes) -> bool:
        if not self._is_connected():
            return False  # paho would queue it until it is connected
        properties = None
        if self._client.protocol == MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho has no types there
            properties.MessageExpiryInterval = ANSWER_MS // 1000
        try:
            sent = self._client.publish(f"cp/{unit_id}/command", payload, 1, properties=properties)
            sent.wait_for_publish(COMMAND_WITHIN_S)
        except (OSError, ValueError, RuntimeError):  # not connected, or the connection was just lost
            return False
        return sent.is_published() and sent.mid not in self._refused

    def _is_connected(self) -> bool:
        """Return whether there is a connection. paho's is_connected() stays True until on_disconnect has been called,
        so check its socket too."""
        return self._client.is_connected() and self._client.socket() is not None

    def _make(self, version: MQTTProtocolVersion) -> BatchedClient:
        client = BatchedClient(
            self._loop,
            self._on_thread_error,
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
        client.on_publish = self._on_publish
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
            _log.error("the broker refused our login: %s", code)
        else:
            self._cleared.clear()
            client.subscribe([(f"cp/+/{kind}", 1) for kind in sorted(UNIT_TOPICS)])

    def _on_subscribe(self, client: paho.Client, _data: Any, _mid: int, codes: Any, _properties: Any) -> None:
        if any(code.is_failure for code in codes):
            _log.error("the broker refused our subscriptions: its access list must allow us to read cp/#")
            return
        self._marker = new_secret().encode()
        client.publish(f"cp/{self._name}/heartbeat", self._marker, 1)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self.live.clear()
        if code.is_failure:
            _log.warning("connection to the broker lost: %s", code)

    def _on_publish(self, _client: Any, _data: Any, mid: int, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self._counters.refused_publishes += 1
            self._refused.add(mid)
            _log.warning("the broker refused a publish of ours: %s. Check its access list", code)
        else:
            self._refused.discard(mid)

    def _on_thread_error(self, error: BaseException) -> None:
        self.live.clear()
        self._counters.failed_connections += 1
        _log.error("connection to the broker failed with an error, reconnecting", exc_info=error)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        """Process a message. An unexpected error ends neither the thread nor the connection, because one message must
        not block all others."""
        try:
            with self._lock:
                self._receive(message)
        except Exception:
            self._leave_unacknowledged()

    def _receive(self, message: paho.MQTTMessage) -> None:
        now_ms = self._clock.now_ms()
        acknowledge = partial(self._client.batched.acknowledge, message.mid) if message.qos else _nothing
        _, unit_id, kind = message.topic.split("/")  # the subscriptions match only topics of three levels
        if unit_id.startswith("_"):
            self._receive_own(unit_id, message, now_ms, acknowledge)
        else:
            is_live = self.live.is_set() and not message.dup
            if not self._shard.takes(unit_id) and (is_live or message.retain):
                acknowledge()
                return
            delivery = Delivery(unit_id, kind, bytes(message.payload), now_ms, is_live, message.retain, acknowledge)
            status = self._unit_registry.status(unit_id)
            if status is None:
                self._put_aside(delivery)
            else:
                self._settle(delivery, status)

    def _receive_own(self, name: str, message: paho.MQTTMessage, now_ms: int, acknowledge: Callable[[], None]) -> None:
        """Process our marker or a canary."""
        if message.retain:
            self._counters.dropped_retained += 1
        elif name == self._name and message.payload == self._marker:
            self.live.set()
            self._ingest.take_canary(now_ms, acknowledge)
            return
        elif name == self._shard.canary_id and self.live.is_set():
            self._ingest.take_canary(now_ms, acknowledge)
            return
        acknowledge()

    def _put_aside(self, delivery: Delivery) -> None:
        if len(self._pending) >= PENDING:
            self._counters.dropped_pending += 1
            self._renewal_due = True
            return
        self._pending.append(delivery)
        if len(self._pending) == 1:
            self._loop.call_soon_threadsafe(self._lookup_due.set)

    # Called on either thread, with the lock.

    def _settle(self, delivery: Delivery, status: UnitStatus) -> None:
        unit_id, kind, payload, received_ms, is_live, is_retained, acknowledge = delivery
        if status is UnitStatus.UNKNOWN:
            self._counters.quarantined += 1
            self._unknown_clients.saw(unit_id, received_ms)
        elif is_retained:
            self._counters.dropped_retained += 1
            self._clear_retained(f"cp/{unit_id}/{kind}")
        elif not payload:
            self._counters.dropped_empty += 1
        elif status is UnitStatus.REVOKED:
            self._counters.dropped_revoked += 1
        elif not self._ingest.admits(unit_id, received_ms):
            pass  # acknowledge it, or the broker would hold back other units' messages; the unit has its PUBACK already
        elif is_live:
            written = acknowledge
            if self._discovery is not None:
                written = partial(self._written, self._discovery, unit_id, received_ms, acknowledge)
            self._renewal_due |= not self._ingest.take(unit_id, kind, payload, received_ms, False, written)
            return
        else:
            self._renewal_due |= not self._ingest.take_late(unit_id, kind, payload, received_ms, acknowledge)
            return
        acknowledge()

    def _clear_retained(self, topic: str) -> None:
        if topic in self._cleared:
            return
        self._cleared.add(topic)
        self._counters.cleared_retained += 1
        self._client.publish(topic, b"", 1, retain=True)

    def _leave_unacknowledged(self) -> None:
        """Count and log the exception that is being handled. The broker redelivers the message on the next
        connection."""
        self._counters.failed_messages += 1
        self._renewal_due = True
        _log.exception("message processing failed; the message is not acknowledged")

    # Called on the event loop.

    async def _refresh_registry(self) -> None:
        """Refresh the registry until cancelled."""
        await self._ingest.duties.every(LOOKUP_AFTER_S, "unit_registry", self._refresh_registry_once)

    async def _refresh_registry_once(self) -> None:
        """Wait for the next refresh and do it. Raises StoreUnusable if the registry cannot be read."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._lookup_due.wait(), self._refresh_after_s)
        self._refresh_after_s = REFRESH_EVERY_S - LOOKUP_AFTER_S
        self._lookup_due.clear()
        with self._lock:
            asked = [delivery.unit_id for delivery in self._pending]
        update = await self._read_registry(frozenset(asked))
        if update is None:
            self._refresh_after_s = 0.0
            await asyncio.sleep(REFRESH_EVERY_S - LOOKUP_AFTER_S)
            raise StoreUnusable("the unit registry cannot be read")
        with self._lock:
            self._unit_registry.apply(update)
            self._settle_pending(len(asked))
        self._renew_if_due()

    async def _read_registry(self, ids: Collection[str]) -> RegistryUpdate | None:
        """Read the registry. Return None if it cannot be read; the last one then stays in use."""
        reading = self._loop.run_in_executor(self._reader, self._unit_registry.read, ids)
        try:
            done, _ = await asyncio.wait({reading}, timeout=READ_WITHIN_S)
            if not done:
                self._registry_failed(f"no answer within {READ_WITHIN_S:g} s")
            update = await reading
        except Exception as error:  # any: if this task ended, revocations would not be detected any more
            self._registry_failed(str(getattr(error, "orig", None) or error) or type(error).__name__)
            return None
        finally:
            if not reading.done():  # cancelled by `stop`, after which the caller closes the database
                await asyncio.wait({reading}, timeout=READ_WITHIN_S)
        if self._registry_trouble is not None:
            _log.warning("the unit registry can be read again")
            self._registry_trouble = None
        return update

    def _registry_failed(self, reason: str) -> None:
        self._counters.failed_registry_reads += 1
        if self._registry_trouble is None:
            _log.error("the unit registry cannot be read, the last one stays in use: %s", reason)
        self._registry_trouble = reason

    def _settle_pending(self, asked: int) -> None:
        """Process waiting messages; the caller holds the lock. Only the first `asked` messages came before the read
        started. If the id of one of these is not in the registry, it is not a unit."""
        pending, self._pending = self._pending, []
        for position, delivery in enumerate(pending):
            status = self._unit_registry.status(delivery.unit_id)
            if status is None and position >= asked:
                self._pending.append(delivery)
                continue
            try:
                self._settle(delivery, status or UnitStatus.UNKNOWN)
            except Exception:
                self._leave_unacknowledged()
        if self._pending:
            self._lookup_due.set()

    def _renew_if_due(self) -> None:
        """Reconnect if messages were left unacknowledged: the broker redelivers them on the new connection."""
        if self._renewal_due and self._loop.time() - self._renewed_s >= RENEW_EVERY_S:
            self._renewal_due = False
            self._renewed_s = self._loop.time()
            self._client.batched.shut_down()

    def _written(self, discovery: home.Discovery, unit_id: str, at_ms: int, acknowledge: Callable[[], None]) -> None:
        acknowledge()
        if unit_id not in self._introduced:
            self._introduced.add(unit_id)
            for topic, payload in discovery.device(unit_id):
                self._client.publish(topic, payload, qos=1, retain=True)
        self._client.publish(*home.contacted(unit_id, at_ms))


def _nothing() -> None:
    """Do nothing, as the acknowledgement of a QoS 0 message. A PUBACK with packet id 0 would violate the protocol, and
    mosquitto 2.0.11 closes the connection for it."""
