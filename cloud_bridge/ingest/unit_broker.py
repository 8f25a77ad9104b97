"""amqtt's broker for sessions that subscribe to their own commands and pieces and to nothing else (plugin.UnitsOnly).

amqtt 0.12.1 goes through the subscriptions of all sessions for each login, SUBSCRIBE, will, command and end of a session:
with n units the work of a mass reconnect grows with n squared (measured: 75 logins a second with 300 units connected, 10
with 2,000). Here every filter is the topic of one unit, so what concerns a session or a topic is found by its name.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig
from amqtt.session import OutgoingApplicationMessage, Session


class UnitBroker(Broker):
    """Nothing is ever retained, since the listener drops what is to be, and a session that is away gets nothing later."""

    def __init__(self, config: BrokerConfig) -> None:
        super().__init__(config)
        self._subscriptions = _Subscriptions()

    def hears_pieces(self, unit_id: str) -> bool:
        """Whether the unit has subscribed to them, and is connected."""
        return any(
            session.transitions.state == "connected"
            for session, _ in self._subscriptions.get(topics_for(unit_id)[1], [])
        )

    async def _del_all_subscriptions(self, session: Session) -> None:
        for topic in topics_for(session.client_id):
            if self._del_subscription(topic, session) and not self._subscriptions[topic]:
                del self._subscriptions[topic]

    async def _run_broadcast(self, running_tasks: "deque[asyncio.Task[OutgoingApplicationMessage]]") -> None:
        """A will has no subscriber, whoever sent it."""
        broadcast: dict[str, Any] = await self._broadcast_queue.get()
        for session, qos in self._subscriptions.get(broadcast["topic"], []):
            handler = self._get_handler(session)
            if handler is not None and session.transitions.state == "connected":
                sending = handler.mqtt_publish(
                    broadcast["topic"], broadcast["data"], broadcast.get("qos", qos), retain=False
                )
                running_tasks.append(asyncio.ensure_future(sending))


def topics_for(unit_id: str | None) -> tuple[str, str]:
    """What a unit may subscribe to: commands, and pieces of an update (ingest/update_pieces.py)."""
    return f"cp/{unit_id}/command", f"cp/{unit_id}/piece"


class _Subscriptions(dict[str, list[tuple[Session, int]]]):
    """By topic. Does not show all that it has: amqtt iterates over it at each login, to look for retained messages of each
    topic, and writes all of it out at each SUBSCRIBE, for a log that nobody keeps (broker.py 601 and 637)."""

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __repr__(self) -> str:
        return f"{len(self)} subscriptions"
