"""The messages that units have published and no worker has acknowledged to the cluster yet."""

import asyncio
import json
from pathlib import Path

import nats

STREAM, DURABLE = "messages", "bridge"
WITHIN_S = 10.0


class Backlog:
    """The backlog of a running cluster, given by its cluster file."""

    def __init__(self, cluster_file: Path) -> None:
        said = json.loads(cluster_file.read_text())
        servers = [f"nats://{node['host']}:{node['client_port']}" for node in said["nodes"]]
        self._runner = asyncio.Runner()
        self._client = self._runner.run(nats.connect(servers, user="bridge", password=said["bridge_secret"]))

    def left(self) -> int:
        """Return the number of messages that were not delivered or are not acknowledged."""
        info = self._runner.run(self._client.jetstream().consumer_info(STREAM, DURABLE, timeout=WITHIN_S))
        return (info.num_pending or 0) + (info.num_ack_pending or 0)

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()
