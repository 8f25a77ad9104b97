"""Which logins are clients of our own, and from when is a secret valid? For reading in batches, see test_auth_callout.py."""

import asyncio

from cloud_bridge.ingest.cluster.batched_credentials import BatchedCredentials
from cloud_bridge.store.database import Database


def test_a_canary_is_a_client_of_our_own_and_a_unit_is_none(database: Database) -> None:
    credentials = BatchedCredentials(database, {"canary": "its secret"})
    assert credentials.is_canary("canary") and not credentials.is_canary("cp-1")
    changed = asyncio.run(credentials.changed_of(["cp-1", "canary", "unknown"]))
    assert changed == {"cp-1": 0}
    credentials.close()
