"""Do nodes connect to each other over TLS, with a certificate from `tls make`?"""

import subprocess
import sys
from pathlib import Path

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.nats_cluster import COMMAND_WITHIN_S, NatsCluster


def test_three_nodes_are_one_cluster_over_tls(tmp_path: Path) -> None:
    """Routes use mutual TLS: with a certificate for servers only, no node would become ready."""
    tls = tmp_path / "tls"
    command = [sys.executable, "-m", "cloud_bridge", "tls", "make", "--folder", str(tls), "--name", "127.0.0.1"]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, timeout=COMMAND_WITHIN_S)
    cluster = NatsCluster(tmp_path / "nats", tls=tls)
    try:
        cluster.start()
    finally:
        cluster.stop()
