"""The connection of one Home Assistant, or of a broker that is bridged to us: what it has subscribed to, and what it was told.

The packets and their order are those of a unit's connection (ingest/session.py); what they are about differs. We deliver
with QoS 0 whatever is asked for: what is lost with a connection is told again on the next one, since everything is retained.
"""

from collections.abc import Iterable, Mapping

from cloud_bridge.home import entities, topics
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.connection import MqttConnection
from cloud_bridge.ingest.session import MqttSession
from cloud_bridge.store.tokens import FoundToken

MOST_FILTERS = 2000  # Home Assistant subscribes to some ten topics of each charge point


class HomeSession(MqttSession):
    """Home Assistant asks for several hundred topics in one packet."""

    max_packet_bytes = 64 * 1024


class HomeConnection(MqttConnection):
    """From accept to close."""

    session_type = HomeSession
    max_unsent_bytes = 1024 * 1024  # all that is retained, to a home behind a slow line
    found: FoundToken  # by which it has proved itself
    token = ""
    is_bridge = False  # it wants the RETAIN flag as it was published
    units: frozenset[str] = frozenset()  # that it was told of last
    versions: object = None  # of what it was told of (store/page_versions.py)
    is_due = True  # to be read in full with the next look
    read_s = 0.0  # when it was, last
    orders = 0  # that are being given

    def begin(self, found: FoundToken, connect: packets.Connect) -> None:
        """It may see what its token may, from now on."""
        self.found, self.token = found, connect.password or ""
        self.is_bridge = bool(connect.level & packets.BRIDGE)
        self._filters: dict[str, None] = {}
        self._stored: dict[str, bytes] = {}  # as it was told last
        self._instead: dict[str, bytes] = {}
        self.session.accept(f"token {found.id}", connect.keep_alive_s)
        self.answer(packets.connack(packets.ACCEPTED))

    def subscribe(self, body: bytes) -> None:
        """It is told at once what it asks for. What it asks for of a unit that it does not see (any more) is taken out of it:
        Home Assistant subscribes to the topics that its entities had before."""
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
        """All that there is to be known now, of these units; what has not changed is not sent. `former` may have been told of
        on a connection before."""
        named = {unit_id for one in self._filters if (unit_id := topics.unit_named(one)) is not None}
        gone = (self.units | named | set(former)) - units
        no_more = {topic: b"" for topic in self._stored if topic not in messages and topic.startswith(topics.DISCOVERY)}
        changed = {topic: payload for topic, payload in messages.items() if self._stored.get(topic) != payload}
        self._instead = {topic: one for topic, one in self._instead.items() if topic not in changed}
        self.units, self._stored = units, dict(messages)
        self.take_out(gone)
        self._send(no_more | changed)

    def say(self, topic: str, payload: bytes) -> None:
        """This instead of what the store has there, until that is another."""
        if topic in self._stored:
            self._instead[topic] = payload
            self._send({topic: payload})

    def tell_away(self) -> None:
        """Nothing is known now, since the store does not answer; the next `tell` says that we are there again."""
        if self._stored.get(topics.STATUS) == topics.THERE:
            self._stored[topics.STATUS] = topics.AWAY
            self.is_due = True
            self._send({topics.STATUS: topics.AWAY})

    def take_out(self, unit_ids: Iterable[str]) -> None:
        """Nothing of these units stays in Home Assistant, or in the broker that is bridged to us."""
        for unit_id in unit_ids:
            self._send(dict.fromkeys(entities.removal(unit_id), b""))
            if self.is_bridge:  # Home Assistant itself would take an empty state for one
                self._send({topics.of_unit(unit_id, name): b"" for name in topics.OF_UNIT})

    def _send(self, messages: Mapping[str, bytes], retained: bool = False) -> None:
        """What it has subscribed to."""
        for topic, payload in messages.items():
            if _is_asked(self._filters, topic):
                self.write(packets.publish(topic, payload, retained or self.is_bridge))


def _is_asked(filters: Iterable[str], topic: str) -> bool:
    return any(topics.matches(one, topic) for one in filters)
