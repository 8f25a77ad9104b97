"""`python -m hil_tests.bench.scale.bare_pull CLUSTER_FILE COUNT`: takes so many messages and acknowledges them, with nats-py
and nothing else. Prints the seconds of its own time that it took."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import nats

BATCH = 500


async def pull(said: dict[str, Any], count: int) -> float:
    """Seconds of this process's time. `said` is what the cluster's file has."""
    servers = [f"nats://{node['host']}:{node['client_port']}" for node in said["nodes"]]
    client = await nats.connect(servers, user="bridge", password=said["bridge_secret"])
    subscription = await client.jetstream().pull_subscribe_bind("bridge", stream="messages")
    started_s = time.process_time()
    while count > 0:
        for message in await subscription.fetch(min(BATCH, count), timeout=10):
            _ = message.metadata.timestamp
            await message.ack()
            count -= 1
    await client.flush()
    used_s = time.process_time() - started_s
    await client.close()
    return used_s


if __name__ == "__main__":
    print(asyncio.run(pull(json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2]))))
