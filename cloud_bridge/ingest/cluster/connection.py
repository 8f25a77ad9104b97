"""Connections of our processes to the cluster: to any reachable node, with failover to another one."""

import logging
import socket
import ssl
from collections.abc import Awaitable, Callable

from nats.aio.client import Client

from cloud_bridge.ingest.cluster.cluster_file import BRIDGE_USER, OCPP_USER, SYSTEM_USER, Cluster
from cloud_bridge.ingest.cluster.pull_client import PullClient

CONNECT_WITHIN_S = 2
RECONNECT_AFTER_S = 0.5
PING_EVERY_S = 5
LOST_AFTER_PINGS = 2  # unanswered pings after which the connection counts as lost
DRAIN_WITHIN_S = 5
MAX_REASONS = 20  # different reasons that are logged until the next successful connection
REFUSED = (
    "a node refuses our secret: the file of CHARGEKEEPER_NATS belongs to another cluster, or is older than the "
    "configuration of the nodes. Write both with `nats write`, and restart the nodes"
)
NO_SUCH_HOST = (
    "a node of the file of CHARGEKEEPER_NATS has a name that is not known here, of {hosts}: look at the DNS of "
    "this machine, or write the file anew with `nats write`"
)

_log = logging.getLogger(__name__)

OnReconnect = Callable[[], Awaitable[None]]


async def connect_bridge(cluster: Cluster, name: str, reconnected: OnReconnect | None = None) -> Client:
    """Connect as the bridge, in the account of the units. Retries without a limit until a node accepts the connection,
    and logs the reasons.

    The client then reconnects by itself, without a limit.
    """
    client = Client()
    await _connect(client, cluster, BRIDGE_USER, cluster.bridge_secret, name, reconnected)
    return client


async def connect_worker(cluster: Cluster) -> PullClient:
    """Connect like connect_bridge, with a client that can take messages from the stream."""
    client = PullClient()
    await _connect(client, cluster, BRIDGE_USER, cluster.bridge_secret, "worker", None)
    return client


async def connect_door(cluster: Cluster, name: str) -> Client:
    """Connect like connect_bridge, with the permissions of an OCPP door only."""
    client = Client()
    await _connect(client, cluster, OCPP_USER, cluster.ocpp_secret, name, None)
    return client


async def connect_system(cluster: Cluster, name: str, reconnected: OnReconnect | None = None) -> Client:
    """Connect like connect_bridge, in the system account."""
    client = Client()
    await _connect(client, cluster, SYSTEM_USER, cluster.system_secret, name, reconnected)
    return client


async def _connect(
    client: Client, cluster: Cluster, user: str, secret: str, name: str, reconnected: OnReconnect | None
) -> None:
    complaints = _Complaints(client, cluster, reconnected)
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
    """The log messages of a connection. Each reason is logged once, not at each of the two attempts a second. Different
    nodes may have different reasons."""

    def __init__(self, client: Client, cluster: Cluster, reconnected: OnReconnect | None) -> None:
        self._client = client
        self._hosts = ", ".join(sorted({node.host for node in cluster.nodes}))
        self._reasons: set[str] = set()
        self._reconnected = reconnected

    async def failed(self, error: Exception) -> None:
        reason = str(error) or type(error).__name__
        if reason in self._reasons or (isinstance(error, ConnectionResetError) and REFUSED in self._reasons):
            return  # a node that refuses us may reset the connection before it sends the reason
        if "authorization violation" in reason.lower():
            reason = REFUSED
        if isinstance(error, socket.gaierror):
            reason = NO_SUCH_HOST.format(hosts=self._hosts)
        if reason not in self._reasons and len(self._reasons) < MAX_REASONS:
            self._reasons.add(reason)
            _log.log(logging.ERROR if reason == REFUSED else logging.WARNING, "connection to the cluster: %s", reason)

    async def disconnected(self) -> None:
        if not self._client.is_closed:  # it is closed when our process stops
            _log.warning("connection to the cluster lost")

    async def reconnected(self) -> None:
        self._reasons.clear()
        if self._reconnected is not None:
            await self._reconnected()
