"""Does a node's file contain what the product needs for a fleet?"""

import json
from pathlib import Path

from cloud_bridge.ingest.cluster.cluster_file import Cluster, Node
from cloud_bridge.ingest.cluster.nkey import new_seed
from cloud_bridge.ingest.cluster.node_files import PlacedNode, node_text

DEFAULT_OF_NODES = 1000  # consumers of a stream, from nats-server 2.15 on


def test_a_node_lets_a_large_fleet_subscribe_and_opens_no_file_for_each_unit(tmp_path: Path) -> None:
    said = json.loads(_text(tmp_path))
    assert said["accounts"]["UNITS"]["jetstream"]["max_consumers"] > 100 * DEFAULT_OF_NODES
    assert said["mqtt"]["consumer_memory_storage"] is True
    assert "jetstream" not in said["accounts"]["SYS"]


def _text(folder: Path) -> str:
    nodes = [Node(f"n{number}", "127.0.0.1", 4222, 1883) for number in range(3)]
    places = [PlacedNode(node, 6222, None, folder) for node in nodes]
    return node_text(Cluster(nodes, "bridge", "system", new_seed(), None), places, places[0], "route", None)
