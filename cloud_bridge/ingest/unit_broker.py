"""A variant of amqtt's broker for sessions that subscribe only to their own commands and pieces (plugin.UnitsOnly).

amqtt 0.12.1 iterates over the subscriptions of all sessions for each login, SUBSCRIBE, will, command and end of a
session. The work of a mass reconnect of n units is therefore O(n²) (measured: 75 logins a second with 300 units
connected, 10 with 2,000). Here every filter is a topic of one unit, so the subscriptions of a session or a topic are
found by a dictionary lookup.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig
from amqtt.session import OutgoingApplicationMessage, Session


class UnitBroker(Broker):
    """A broker without retained messages, which the listener drops, and without queues for disconnected sessions."""

    def __init__(self, config: BrokerConfig) -> None:
        super().__init__(config)
        self._subscriptions = _Subscriptions()

    def hears_pieces(self, unit_id: str) -> bool:
        """Return whether the unit is connected and has subscribed to pieces."""
        return any(
            session.transitions.state == "connected"
            for session, _ in self._subscriptions.get(topics_for(unit_id)[1], [])
        )

    async def _del_all_subscriptions(self, session: Session) -> None:
        for topic in topics_for(session.client_id):
            if self._del_subscription(topic, session) and not self._subscriptions[topic]:
                del self._subscriptions[topic]

    async def _run_broadcast(self, running_tasks: "deque[asyncio.Task[OutgoingApplicationMessage]]") -> None:
        """Send one message to the subscribers of its topic. A will has no subscribers."""
        broadcast: dict[str, Any] = await self._broadcast_queue.get()
        for session, qos in self._subscriptions.get(broadcast["topic"], []):
            handler = self._get_handler(session)
            if handler is not None and session.transitions.state == "connected":
                sending = handler.mqtt_publish(
                    broadcast["topic"], broadcast["data"], broadcast.get("qos", qos), retain=False
                )
                running_tasks.append(asyncio.ensure_future(sending))


def topics_for(unit_id: str | None) -> tuple[str, str]:
    """Return the topics that a unit may subscribe to: commands, and pieces of an update (ingest/update_pieces.py)."""
    return f"cp/{unit_id}/command", f"cp/{unit_id}/piece"


class _Subscriptions(dict[str, list[tuple[Session, int]]]):
    """The subscriptions by topic. Iteration and repr() hide the content on purpose: amqtt iterates over all of it at
    each login, to find retained messages, and formats all of it at each SUBSCRIBE for a debug log line (broker.py 601
    and 637)."""

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __repr__(self) -> str:
        return f"{len(self)} subscriptions"
