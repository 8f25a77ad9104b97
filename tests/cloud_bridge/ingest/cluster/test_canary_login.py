"""Does every process know the canaries' secrets, and nobody who has another file?"""

from cloud_bridge.ingest.cluster.canary_login import canary_of, canary_secret, canary_user
from cloud_bridge.ingest.cluster.cluster_file import Cluster, Node
from cloud_bridge.ingest.cluster.nkey import new_seed

NODES = [Node("n1", "127.0.0.1", 4222, 1883), Node("n2", "127.0.0.1", 4223, 1884)]


def test_each_node_has_a_canary_of_its_own() -> None:
    cluster = Cluster(NODES, "bridge", "system", new_seed(), None)
    for node in NODES:
        secret = canary_secret(cluster, node)
        assert canary_of(cluster, canary_user(node), secret) == node
        assert canary_of(cluster, canary_user(node), secret[:-1]) is None
        assert canary_of(cluster, "_canary-n3", secret) is None
    assert canary_of(cluster, canary_user(NODES[0]), canary_secret(cluster, NODES[1])) is None
    assert canary_of(cluster._replace(issuer_seed=new_seed()), "_canary-n1", canary_secret(cluster, NODES[0])) is None
