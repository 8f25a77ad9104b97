"""Our canaries in a cluster: a client at the door of each node, so that we know of each whether units can reach us there.

Every process that takes messages in has its own, so that the end of one makes no node look deaf.
"""

import asyncio
import secrets
import ssl

from cloud_bridge.counters import Counters
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.canary import BrokerAddress, Canary
from cloud_bridge.ingest.cluster.canary_login import canary_secret, canary_user
from cloud_bridge.ingest.cluster.cluster_file import Cluster


class DoorCanaries:
    """One for each node."""

    def __init__(self, cluster: Cluster, counters: Counters) -> None:
        tls = None if cluster.ca is None else ssl.create_default_context(cafile=cluster.ca)
        ours = secrets.token_hex(4)
        self._canaries = [
            Canary(
                BrokerAddress(node.host, node.mqtt_port, canary_secret(cluster, node), tls),
                counters,
                canary_user(node),
                f"{canary_user(node)}-{ours}",
                f"canary of {node.name}",
            )
            for node in cluster.nodes
        ]

    async def run(self, duties: Duties) -> None:
        """Marks for ever; a door that does not answer is a duty that is late."""
        await asyncio.gather(*(canary.run(duties) for canary in self._canaries))
