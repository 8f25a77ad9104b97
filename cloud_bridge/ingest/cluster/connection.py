"""A connection of ours to the cluster: to any node that answers, and to another when that one goes."""

import logging
import ssl
from collections.abc import Awaitable, Callable

from nats.aio.client import Client

from cloud_bridge.ingest.cluster.cluster_file import BRIDGE_USER, SYSTEM_USER, Cluster
from cloud_bridge.ingest.cluster.pull_client import PullClient

CONNECT_WITHIN_S = 2
RECONNECT_AFTER_S = 0.5
PING_EVERY_S = 5
LOST_AFTER_PINGS = 2  # a node that does not answer them is gone
DRAIN_WITHIN_S = 5
REFUSED = (
    "the nodes refuse our secret: the file of CHARGEKEEPER_NATS is another cluster's, or older than the configuration of the "
    "nodes. Write both with `nats write`, and start the nodes anew"
)

_log = logging.getLogger(__name__)

OnReconnect = Callable[[], Awaitable[None]]


async def connect_bridge(cluster: Cluster, name: str, reconnected: OnReconnect | None = None) -> Client:
    """In the account of the units. Returns when a node has let us in, and tries for ever: why it does not is in the log.

    From then on it comes back for ever by itself.
    """
    client = Client()
    await _connect(client, cluster, BRIDGE_USER, cluster.bridge_secret, name, reconnected)
    return client


async def connect_worker(cluster: Cluster) -> PullClient:
    """As connect_bridge, to take messages."""
    client = PullClient()
    await _connect(client, cluster, BRIDGE_USER, cluster.bridge_secret, "worker", None)
    return client


async def connect_system(cluster: Cluster, name: str, reconnected: OnReconnect | None = None) -> Client:
    """In the system account; likewise."""
    client = Client()
    await _connect(client, cluster, SYSTEM_USER, cluster.system_secret, name, reconnected)
    return client


async def _connect(
    client: Client, cluster: Cluster, user: str, secret: str, name: str, reconnected: OnReconnect | None
) -> None:
    complaints = _Complaints(reconnected)
    tls = None if cluster.ca is None else ssl.create_default_context(cafile=cluster.ca)
    await client.connect(
        cluster.servers,
        user=user,
        password=secret,
        name=name,
        tls=tls,
        connect_timeout=CONNECT_WITHIN_S,
        reconnect_time_wait=RECONNECT_AFTER_S,  # type: ignore[arg-type]  # seconds to sleep, whole or not
        max_reconnect_attempts=-1,
        ping_interval=PING_EVERY_S,
        max_outstanding_pings=LOST_AFTER_PINGS,
        drain_timeout=DRAIN_WITHIN_S,
        error_cb=complaints.failed,
        disconnected_cb=complaints.disconnected,
        reconnected_cb=complaints.reconnected,
    )


class _Complaints:
    """What a connection logs: a reason once, and not at each of the two tries a second."""

    def __init__(self, reconnected: OnReconnect | None) -> None:
        self._reason: str | None = None
        self._reconnected = reconnected

    async def failed(self, error: Exception) -> None:
        reason = str(error) or type(error).__name__
        if reason == self._reason:
            return
        self._reason = reason
        if "authorization violation" in reason.lower():
            _log.error("%s", REFUSED)
        else:
            _log.warning("the connection to the cluster: %s", reason)

    async def disconnected(self) -> None:
        _log.warning("a connection to the cluster was lost")

    async def reconnected(self) -> None:
        self._reason = None
        if self._reconnected is not None:
            await self._reconnected()
