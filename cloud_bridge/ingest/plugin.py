"""What amqtt asks us about a session. The listener has checked all of it before; the broker holds it again."""

from amqtt.contexts import Action
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from cloud_bridge.ingest.unit_broker import topics_for


class UnitsOnly(BaseAuthPlugin, BaseTopicPlugin):
    """A session is a unit that the listener let in, and a unit gets its own commands and pieces and nothing else.

    Publishing through the broker is refused: the listener takes every PUBLISH in. A will is not asked about here, amqtt
    sends it past this list; no unit can receive one, because no unit can subscribe to what another one may publish.
    """

    async def authenticate(self, *, session: Session) -> bool | None:
        return session.client_id is not None and session.client_id == session.username

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool | None:
        return session is not None and action is not Action.PUBLISH and topic in topics_for(session.client_id)
