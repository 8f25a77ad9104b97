"""Send commands to the units of a cluster, from any process. Connects in the background, and reconnects."""

import asyncio

from nats.aio.client import Client
from nats.errors import Error as NatsError

from cloud_bridge.clock import Clock
from cloud_bridge.counters import Counters
from cloud_bridge.duties import Duties
from cloud_bridge.errors import BridgeError
from cloud_bridge.ingest.cluster.cluster_file import Cluster
from cloud_bridge.ingest.cluster.commands_out import CommandsOut
from cloud_bridge.ingest.cluster.connection import connect_bridge, connect_system
from cloud_bridge.ingest.cluster.nodes import Nodes
from cloud_bridge.store.commands import ANSWER_MS

TRY_EVERY_S = 1.0


class ClusterAway(BridgeError):
    """No node of the cluster is reachable."""


class CommandSender:
    """Sends commands over two connections, one as the bridge and one to the system account."""

    connections = 0  # of units; only the nodes know them
    trouble = None  # it receives no messages

    def __init__(self, cluster: Cluster, name: str, clock: Clock, counters: Counters, duties: Duties) -> None:
        self._cluster = cluster
        self._name = name
        self._clock = clock
        self._counters = counters
        self._duties = duties
        self._clients: list[Client] = []
        self._out: CommandsOut | None = None
        self._connecting: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._connecting = asyncio.get_running_loop().create_task(
            self._duties.every(TRY_EVERY_S, "commands", self._connect)
        )

    async def stop(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        await self._close()

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Send a command. Return True if the unit is connected and the cluster has stored the command. If the unit
        disconnects now, the command expires after ANSWER_MS."""
        if self._out is None or not self._is_connected:
            return False
        return await self._out.send(unit_id, payload, self._clock.now_ms() + ANSWER_MS)

    async def pieces(self, unit_id: str, payloads: list[bytes]) -> bool:
        """Publish pieces of an update to the unit, at any node, with core NATS: the cluster does not store them. Return
        False if there is no connection."""
        if self._out is None or not self._is_connected:
            return False
        return await self._out.send_pieces(unit_id, payloads)

    @property
    def _is_connected(self) -> bool:
        return all(client.is_connected for client in self._clients)

    async def _connect(self) -> None:
        """Connect if there is no connection yet. Raises ClusterAway while no node is reachable."""
        if self._out is not None:
            if not self._is_connected:
                raise ClusterAway("no node of the cluster is reachable")
            return
        try:
            for connect in (connect_bridge, connect_system):
                self._clients.append(await connect(self._cluster, self._name))
            bridge, system = self._clients
            nodes = Nodes(system, len(self._cluster.nodes))
            await nodes.start()
        except (NatsError, OSError, TimeoutError) as error:
            await self._close()
            raise ClusterAway(f"no node of the cluster is reachable: {error or type(error).__name__}") from error
        self._out = CommandsOut(bridge, nodes, self._clock, self._counters)

    async def _close(self) -> None:
        clients, self._clients = self._clients, []
        for client in clients:
            await client.close()
