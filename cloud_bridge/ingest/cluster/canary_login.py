"""How our canaries log in at the doors of the nodes. Their secrets follow from the cluster's, so that every process that
answers logins knows them without asking anybody."""

import hashlib
import hmac

from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.ingest.cluster.cluster_file import Cluster, Node

_PURPOSE = "chargekeeper canary "  # of the derived secret


def canary_user(node: Node) -> str:
    """Its MQTT user name, and the unit in its topic: cp/<user>/heartbeat. Its client id begins with it, and is another one
    for each of our processes, since two of one client id would throw each other out."""
    return f"{CANARY_ID}-{node.name}"


def canary_secret(cluster: Cluster, node: Node) -> str:
    """Its password."""
    return hmac.digest(cluster.issuer_seed.encode(), (_PURPOSE + node.name).encode(), hashlib.sha256).hex()


def canary_of(cluster: Cluster, user: str, password: str) -> Node | None:
    """The node whose canary logs in with the right secret; None: it is none of ours. May it publish cp.<user>.heartbeat,
    and nothing else."""
    for node in cluster.nodes:
        if user == canary_user(node) and hmac.compare_digest(password.encode(), canary_secret(cluster, node).encode()):
            return node
    return None
