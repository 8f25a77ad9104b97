"""`python -m hil_tests.bench.scale.bare_pull CLUSTER_FILE COUNT`: pull COUNT messages and acknowledge them, with
nats-py only.

Afterwards it acknowledges redelivered messages until it is killed.
"""

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import nats
from nats.js import JetStreamContext

BATCH = 500
WITHIN_S = 10.0
THE_REST_WITHIN_S = 1.0


async def pull(said: dict[str, Any], count: int) -> None:
    """Pull `count` messages, then redelivered ones. `said` is the content of the cluster file."""
    servers = [f"nats://{node['host']}:{node['client_port']}" for node in said["nodes"]]
    client = await nats.connect(servers, user="bridge", password=said["bridge_secret"])
    subscription = await client.jetstream().pull_subscribe_bind("bridge", stream="messages")
    while count > 0:  # a batch that is not full would only return at its deadline
        count -= await take(subscription, min(BATCH, count), WITHIN_S)
    while True:
        with suppress(TimeoutError):
            await take(subscription, BATCH, THE_REST_WITHIN_S)


async def take(subscription: JetStreamContext.PullSubscription, batch: int, within_s: float) -> int:
    """Pull and acknowledge a batch. Return its size. Raises TimeoutError if no message came."""
    messages = await subscription.fetch(batch, timeout=within_s)
    for message in messages:
        _ = message.metadata.timestamp
        await message.ack()
    return len(messages)


if __name__ == "__main__":
    asyncio.run(pull(json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])))
