"""The plugin by which amqtt authenticates sessions and authorises topics. The listener has already checked both."""

from amqtt.contexts import Action
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from cloud_bridge.ingest.unit_broker import topics_for


class UnitsOnly(BaseAuthPlugin, BaseTopicPlugin):
    """Allows a unit to subscribe to its own commands and pieces, and nothing else.

    Publishing through the broker is refused, because the listener handles every PUBLISH. amqtt does not call the plugin
    for wills. No unit can receive a will, because no unit can subscribe to a topic on which another one may publish.
    """

    async def authenticate(self, *, session: Session) -> bool | None:
        return session.client_id is not None and session.client_id == session.username

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool | None:
        return session is not None and action is not Action.PUBLISH and topic in topics_for(session.client_id)
