"""A connection of ours to the cluster: to any node that answers, and to another when that one goes."""

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
LOST_AFTER_PINGS = 2  # a node that does not answer them is gone
DRAIN_WITHIN_S = 5
MAX_REASONS = 20  # that are told, until it is connected again
REFUSED = (
    "a node refuses our secret: the file of CHARGEKEEPER_NATS is another cluster's, or older than the configuration of the "
    "nodes. Write both with `nats write`, and start the nodes anew"
)
NO_SUCH_HOST = (
    "a node of the file of CHARGEKEEPER_NATS has a name that is not known here, of {hosts}: look at the DNS of "
    "this machine, or write the file anew with `nats write`"
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


async def connect_door(cluster: Cluster, name: str) -> Client:
    """As connect_bridge, with the rights of a door for OCPP alone."""
    client = Client()
    await _connect(client, cluster, OCPP_USER, cluster.ocpp_secret, name, None)
    return client


async def connect_system(cluster: Cluster, name: str, reconnected: OnReconnect | None = None) -> Client:
    """In the system account; likewise."""
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
    """What a connection logs: each reason once, and not at each of the two tries a second. Nodes may have different ones."""

    def __init__(self, client: Client, cluster: Cluster, reconnected: OnReconnect | None) -> None:
        self._client = client
        self._hosts = ", ".join(sorted({node.host for node in cluster.nodes}))
        self._reasons: set[str] = set()
        self._reconnected = reconnected

    async def failed(self, error: Exception) -> None:
        reason = str(error) or type(error).__name__
        if reason in self._reasons or (isinstance(error, ConnectionResetError) and REFUSED in self._reasons):
            return  # a node that refuses us may close the connection before it has said so
        if "authorization violation" in reason.lower():
            reason = REFUSED
        if isinstance(error, socket.gaierror):
            reason = NO_SUCH_HOST.format(hosts=self._hosts)
        if reason not in self._reasons and len(self._reasons) < MAX_REASONS:
            self._reasons.add(reason)
            _log.log(
                logging.ERROR if reason == REFUSED else logging.WARNING, "the connection to the cluster: %s", reason
            )

    async def disconnected(self) -> None:
        if not self._client.is_closed:  # as it is at the end of our process
            _log.warning("a connection to the cluster was lost")

    async def reconnected(self) -> None:
        self._reasons.clear()
        if self._reconnected is not None:
            await self._reconnected()
