"""Looks at every connection of the cluster once a minute: what an event has told may have been lost on its way."""

from cloud_bridge.duties import Duties
from cloud_bridge.ingest.cluster.nodes import Nodes
from cloud_bridge.ingest.cluster.presence import PresenceWriter
from cloud_bridge.ingest.cluster.revocation import Revocation

EVERY_S = 60.0


class Census:
    """Of one process; each takes its own."""

    def __init__(self, nodes: Nodes, revocation: Revocation, presence: PresenceWriter) -> None:
        self._nodes = nodes
        self._revocation = revocation
        self._presence = presence
        self._compared: set[str] = set()  # the nodes that have answered ever since their connections were compared

    async def run(self, duties: Duties) -> None:
        """For ever."""
        await duties.every(EVERY_S, "census", self.take)

    async def take(self) -> None:
        """Raises SQLAlchemyError, and TimeoutError when a node stops to answer."""
        nodes = await self._nodes.ids()
        pursuit = self._revocation.pursuit
        if pursuit.has_missed:
            pursuit.has_missed = False
            self._compared.clear()
        self._compared &= nodes.keys()
        for server_id, node in nodes.items():
            there: set[str] = set()
            began_ms: int | None = None
            async for page in self._nodes.pages(server_id):
                began_ms = began_ms or page.at_ms
                there |= await self._presence.compare(page)
                if server_id not in self._compared:
                    await self._revocation.end_former(page.connections)
            self._compared.add(server_id)
            if began_ms is not None:
                await self._presence.compare_absent(node, there, began_ms)
