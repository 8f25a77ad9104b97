"""Compare all connections of the cluster with the store once a minute, because presence events may be lost."""

from cloud_bridge.duties import Duties
from cloud_bridge.ingest.cluster.nodes import Nodes
from cloud_bridge.ingest.cluster.presence import PresenceWriter
from cloud_bridge.ingest.cluster.revocation import Revocation

EVERY_S = 60.0


class Census:
    """The periodic comparison. Each auth process does its own."""

    def __init__(self, nodes: Nodes, revocation: Revocation, presence: PresenceWriter) -> None:
        self._nodes = nodes
        self._revocation = revocation
        self._presence = presence
        self._compared: set[str] = set()  # ids of nodes that were compared and have answered ever since

    async def run(self, duties: Duties) -> None:
        """Run until cancelled."""
        await duties.every(EVERY_S, "census", self.take)

    async def take(self) -> None:
        """Compare once. Raises SQLAlchemyError, and TimeoutError if a node stops answering."""
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
