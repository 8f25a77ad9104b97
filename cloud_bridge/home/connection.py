"""The connection of one Home Assistant, or of a broker that is bridged to us: its subscriptions, and what was sent to it.

The packets and their order are those of a unit's connection (ingest/session.py); only the content differs. Everything is
delivered with QoS 0, whatever QoS was requested: what is lost with a connection is sent again on the next one, because all
messages are retained.
"""

from collections.abc import Iterable, Mapping

from cloud_bridge.home import entities, topics
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.connection import MqttConnection
from cloud_bridge.ingest.session import MqttSession
from cloud_bridge.store.tokens import FoundToken

MOST_FILTERS = 2000  # Home Assistant subscribes to about ten topics of each charge point


class HomeSession(MqttSession):
    """An MQTT session that allows the several hundred topics that Home Assistant subscribes to in one packet."""

    max_packet_bytes = 64 * 1024


class HomeConnection(MqttConnection):
    """One connection, from accept to close."""

    session_type = HomeSession
    max_unsent_bytes = 1024 * 1024  # all retained messages, for a home with a slow connection
    found: FoundToken  # the token that it logged in with
    token = ""
    is_bridge = False  # it expects the RETAIN flag as it was published
    units: frozenset[str] = frozenset()  # the units in the last update that was sent
    versions: object = None  # versions of what was sent (store/page_versions.py)
    is_due = True  # to be read in full at the next poll
    read_s = 0.0  # time of the last full read
    orders = 0  # commands in progress

    def begin(self, found: FoundToken, connect: packets.Connect) -> None:
        """Open the connection. From now on, it may see what its token may."""
        self.found, self.token = found, connect.password or ""
        self.is_bridge = bool(connect.level & packets.BRIDGE)
        self._filters: dict[str, None] = {}
        self._stored: dict[str, bytes] = {}  # as last sent
        self._instead: dict[str, bytes] = {}
        self.session.accept(f"token {found.id}", connect.keep_alive_s)
        self.answer(packets.connack(packets.ACCEPTED))

    def subscribe(self, body: bytes) -> None:
        """Handle SUBSCRIBE. The matching messages are sent at once. If it subscribes to a unit that it may not see (any more),
        that unit's entities are removed: Home Assistant subscribes to the topics that its entities had before."""
        packet_id, filters = packets.parse_subscribe(body)
        self._filters |= dict.fromkeys(filters)
        if len(self._filters) > MOST_FILTERS:
            self.transport.abort()
            return
        self.write(packets.suback(packet_id, len(filters)))
        known = self._stored | self._instead
        self._send({topic: payload for topic, payload in known.items() if _is_asked(filters, topic)}, retained=True)
        named = {unit_id for one in filters if (unit_id := topics.unit_named(one)) is not None}
        if not self.is_due:
            self.take_out(named - self.units)

    def unsubscribe(self, body: bytes) -> None:
        packet_id, filters = packets.parse_subscribe(body, has_qos=False)
        for one in filters:
            self._filters.pop(one, None)
        self.write(packets.unsuback(packet_id))

    def tell(self, messages: Mapping[str, bytes], units: frozenset[str], former: Iterable[str] = ()) -> None:
        """Send the present messages of these units. Unchanged messages are not sent. Units in `former` may have been sent on
        an earlier connection."""
        named = {unit_id for one in self._filters if (unit_id := topics.unit_named(one)) is not None}
        gone = (self.units | named | set(former)) - units
        no_more = {topic: b"" for topic in self._stored if topic not in messages and topic.startswith(topics.DISCOVERY)}
        changed = {topic: payload for topic, payload in messages.items() if self._stored.get(topic) != payload}
        self._instead = {topic: one for topic, one in self._instead.items() if topic not in changed}
        self.units, self._stored = units, dict(messages)
        self.take_out(gone)
        self._send(no_more | changed)

    def say(self, topic: str, payload: bytes) -> None:
        """Send a message that replaces the stored one, until the stored one changes."""
        if topic in self._stored:
            self._instead[topic] = payload
            self._send({topic: payload})

    def tell_away(self) -> None:
        """Report that the state is unknown, because the store does not answer. The next `tell` reports that it is known
        again."""
        if self._stored.get(topics.STATUS) == topics.THERE:
            self._stored[topics.STATUS] = topics.AWAY
            self.is_due = True
            self._send({topics.STATUS: topics.AWAY})

    def take_out(self, unit_ids: Iterable[str]) -> None:
        """Remove all messages of these units from Home Assistant, or from the broker that is bridged to us."""
        for unit_id in unit_ids:
            self._send(dict.fromkeys(entities.removal(unit_id), b""))
            if self.is_bridge:  # Home Assistant itself would take an empty payload for a state
                self._send({topics.of_unit(unit_id, name): b"" for name in topics.OF_UNIT})

    def _send(self, messages: Mapping[str, bytes], retained: bool = False) -> None:
        """Send those of the messages that it has subscribed to."""
        for topic, payload in messages.items():
            if _is_asked(self._filters, topic):
                self.write(packets.publish(topic, payload, retained or self.is_bridge))


def _is_asked(filters: Iterable[str], topic: str) -> bool:
    return any(topics.matches(one, topic) for one in filters)
