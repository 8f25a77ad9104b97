"""How our canaries log in to the cluster: one for each node, by a secret that each process of ours derives for itself.

It is derived from the file of the cluster (cluster_file.py), so it is in no database, and changes with the bridge's secret.
"""

import hashlib
import hmac
from typing import NamedTuple

from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.ingest.cluster.cluster_file import Cluster


class CanaryLogin(NamedTuple):
    """User name and client id are the same, as those of a unit."""

    name: str
    secret: str


def canary_login(cluster: Cluster, node_name: str) -> CanaryLogin:
    """Of the canary that goes through the door of this node."""
    name = f"{CANARY_ID}-{node_name}"
    return CanaryLogin(name, hmac.digest(cluster.bridge_secret.encode(), name.encode(), hashlib.sha256).hex())


def canary_secrets(cluster: Cluster) -> dict[str, str]:
    """By name: who logs in as one of our canaries, and by which secret."""
    return dict(canary_login(cluster, node.name) for node in cluster.nodes)
