"""Our canaries in a cluster: a client at the door of each node, so that we know of each whether units can reach us there.

Every process that takes messages in has its own, so that the end of one makes no node look deaf.
"""

import asyncio
import ssl
from functools import partial

from cloud_bridge.counters import Counters
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.canary import EVERY_S, BrokerAddress, Canary
from cloud_bridge.ingest.cluster.canary_login import canary_login
from cloud_bridge.ingest.cluster.cluster_file import Cluster


class DoorCanaries:
    """One for each node. Each logs in anew for every mark, as a unit does: so a door that lets nobody in is deaf, and two
    processes whose canaries have one client id do not throw each other out."""

    def __init__(self, cluster: Cluster, counters: Counters) -> None:
        tls = None if cluster.ca is None else ssl.create_default_context(cafile=cluster.ca)
        self._counters = counters
        self._canaries: dict[str, Canary] = {}
        for node in cluster.nodes:
            login = canary_login(cluster, node.name)
            address = BrokerAddress(node.host, node.mqtt_port, login.secret, tls)
            self._canaries[node.name] = Canary(address, counters, login.name)

    async def run(self, duties: Duties) -> None:
        """Marks for ever; a door that does not answer is a duty that is late."""
        await asyncio.gather(
            *(
                duties.every(EVERY_S, f"canary of {node}", partial(self._send, canary))
                for node, canary in self._canaries.items()
            )
        )

    async def _send(self, canary: Canary) -> None:
        try:
            await canary.send_counted()
        finally:
            canary.close()
