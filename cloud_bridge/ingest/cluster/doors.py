"""The canaries of a cluster: one client for each node, to check that units can reach us through it.

Every process that receives messages has its own canaries, so that the end of one process does not look like an outage
of nodes.
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
    """The canaries of one process, one for each node. A canary makes a new connection each time. So a node that accepts
    no logins counts as an outage, and two processes whose canaries have the same client id do not keep taking over each
    other's connection."""

    def __init__(self, cluster: Cluster, counters: Counters) -> None:
        tls = None if cluster.ca is None else ssl.create_default_context(cafile=cluster.ca)
        self._counters = counters
        self._canaries: dict[str, Canary] = {}
        for node in cluster.nodes:
            login = canary_login(cluster, node.name)
            address = BrokerAddress(node.host, node.mqtt_port, login.secret, tls)
            self._canaries[node.name] = Canary(address, counters, login.name)

    async def run(self, duties: Duties) -> None:
        """Send canaries every EVERY_S until cancelled. Each node is a duty of its own."""
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
