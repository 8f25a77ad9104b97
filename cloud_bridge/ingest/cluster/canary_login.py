"""The credentials of our canaries on the cluster, one canary for each node.

Each process derives the secret from the cluster file (cluster_file.py), so it is not stored, and changes with the
bridge's secret.
"""

import hashlib
import hmac
from typing import NamedTuple

from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.ingest.cluster.cluster_file import Cluster


class CanaryLogin(NamedTuple):
    """The credentials of a canary. The name is both user name and client id, as for a unit."""

    name: str
    secret: str


def canary_login(cluster: Cluster, node_name: str) -> CanaryLogin:
    """Return the credentials of the canary for this node."""
    name = f"{CANARY_ID}-{node_name}"
    return CanaryLogin(name, hmac.digest(cluster.bridge_secret.encode(), name.encode(), hashlib.sha256).hex())


def canary_secrets(cluster: Cluster) -> dict[str, str]:
    """Return the secrets of all canaries, by name."""
    return dict(canary_login(cluster, node.name) for node in cluster.nodes)
