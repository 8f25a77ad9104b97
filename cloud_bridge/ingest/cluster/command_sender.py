"""Commands to the units of a cluster, from a process that takes in nothing of what they say."""

import asyncio

from nats.aio.client import Client
from nats.errors import Error as NatsError

from cloud_bridge.duties import Duties
from cloud_bridge.errors import BridgeError
from cloud_bridge.ingest.cluster.cluster_file import Cluster
from cloud_bridge.ingest.cluster.connection import connect_bridge
from cloud_bridge.ingest.jetstream import publish_command

TRY_EVERY_S = 1.0


class ClusterAway(BridgeError):
    """No node of the cluster answers."""


class CommandSender:
    """One connection, which is opened in the background and comes back by itself."""

    connections = 0  # of units; their nodes know
    trouble = None  # it takes nothing in

    def __init__(self, cluster: Cluster, name: str, duties: Duties) -> None:
        self._cluster = cluster
        self._name = name
        self._duties = duties
        self._client: Client | None = None
        self._connecting: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._connecting = asyncio.get_running_loop().create_task(
            self._duties.every(TRY_EVERY_S, "cluster", self._connect)
        )

    async def stop(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        if self._client is not None:
            await self._client.close()

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Publish a command; True when the cluster keeps it, which delivers it when the unit is there."""
        client = self._client
        return client is not None and client.is_connected and await publish_command(client, unit_id, payload)

    async def _connect(self) -> None:
        """Once; raises ClusterAway until a node answers, and while none does later."""
        if self._client is None:
            try:
                self._client = await connect_bridge(self._cluster, self._name)
            except (NatsError, OSError, TimeoutError) as error:
                raise ClusterAway(f"no node of the cluster answers: {error or type(error).__name__}") from error
        elif not self._client.is_connected:
            raise ClusterAway("no node of the cluster answers")
