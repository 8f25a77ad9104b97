"""Do all our processes derive the same secrets, and nobody else?"""

from cloud_bridge.ingest.cluster.canary_login import canary_login, canary_secrets
from cloud_bridge.ingest.cluster.cluster_file import Cluster, Node
from cloud_bridge.ingest.cluster.nkey import new_seed

NODES = [Node(name, "127.0.0.1", 4222, 1883) for name in ("n1", "n2")]
CLUSTER = Cluster(NODES, "bridge's own", "system's own", new_seed(), None)


def test_each_node_has_a_canary_with_a_secret_of_its_own() -> None:
    secrets = canary_secrets(CLUSTER)
    assert list(secrets) == ["_canary-n1", "_canary-n2"]
    assert len(set(secrets.values())) == 2 and all(len(secret) == 64 for secret in secrets.values())
    assert canary_login(CLUSTER, "n1") == ("_canary-n1", secrets["_canary-n1"])


def test_the_secret_goes_by_the_bridge_s_alone() -> None:
    moved = CLUSTER._replace(nodes=NODES[:1], issuer_seed=new_seed())
    assert canary_login(moved, "n1") == canary_login(CLUSTER, "n1")
    assert canary_login(CLUSTER._replace(bridge_secret="another"), "n1") != canary_login(CLUSTER, "n1")
