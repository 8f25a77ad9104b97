"""Does a piece of an update reach its unit at any node, and no other unit?"""

import subprocess
import sys

from hil_tests.fixtures.auth_cluster import WITHIN_S, AuthCluster
from hil_tests.fixtures.bridge_process import CHECKOUT

SEND = """
import asyncio, sys
from pathlib import Path
from cloud_bridge.clock import SystemClock
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.cluster.cluster_file import read_cluster
from cloud_bridge.ingest.cluster.commands_out import CommandsOut
from cloud_bridge.ingest.cluster.connection import connect_bridge, connect_system
from cloud_bridge.ingest.cluster.nodes import Nodes
async def main(file, unit_id):
    cluster = read_cluster(Path(file))
    bridge, system = await connect_bridge(cluster, "test"), await connect_system(cluster, "test")
    out = CommandsOut(bridge, Nodes(system, len(cluster.nodes)), SystemClock(), Counters())
    assert await out.send_pieces(unit_id, [bytes((number,)) * 1036 for number in range(8)])
    await bridge.flush()
    await bridge.close()
    await system.close()
asyncio.run(main(*sys.argv[1:]))
"""
REFUSED = 0x80


def test_pieces_come_to_their_unit_in_order_and_to_no_other(cluster: AuthCluster) -> None:
    unit, other = cluster.add_units(["there", "other"])
    connection = cluster.connect(unit, "n2")
    stranger = cluster.connect(other, "n1")
    assert connection.subscribe_to_pieces() == 0
    assert stranger.subscribe_to_pieces("there") == REFUSED
    connection.report("ask", h="0" * 16, f=1, o=0, c=8192)  # acknowledged, so the unit may publish there
    subprocess.run(
        [sys.executable, "-c", SEND, str(cluster.nats.file), "there"],
        cwd=CHECKOUT,
        env=cluster.environment,
        check=True,
        timeout=WITHIN_S,
    )
    assert [connection.next_piece() for _ in range(8)] == [bytes((number,)) * 1036 for number in range(8)]
    connection.close()
    stranger.close()
