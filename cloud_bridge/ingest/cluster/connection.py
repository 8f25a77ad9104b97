"""A connection of ours to the cluster: to any node that answers, and to another when that one goes."""

import logging
import ssl
from collections.abc import Awaitable, Callable

import nats
from nats.aio.client import Client

from cloud_bridge.ingest.cluster.cluster_file import BRIDGE_USER, SYSTEM_USER, Cluster

CONNECT_WITHIN_S = 2
RECONNECT_AFTER_S = 0.5
PING_EVERY_S = 5
LOST_AFTER_PINGS = 2  # a node that does not answer them is gone
DRAIN_WITHIN_S = 5

_log = logging.getLogger(__name__)

OnReconnect = Callable[[], Awaitable[None]]


async def connect_bridge(cluster: Cluster, name: str, reconnected: OnReconnect | None = None) -> Client:
    """In the account of the units. Returns at once when a node answers; raises OSError or nats.errors.Error if none does.

    From then on it comes back for ever by itself.
    """
    return await _connect(cluster, BRIDGE_USER, cluster.bridge_secret, name, reconnected)


async def connect_system(cluster: Cluster, name: str, reconnected: OnReconnect | None = None) -> Client:
    """In the system account; likewise."""
    return await _connect(cluster, SYSTEM_USER, cluster.system_secret, name, reconnected)


async def _connect(cluster: Cluster, user: str, secret: str, name: str, reconnected: OnReconnect | None) -> Client:
    tls = None if cluster.ca is None else ssl.create_default_context(cafile=cluster.ca)
    return await nats.connect(
        cluster.servers,
        user=user,
        password=secret,
        name=name,
        tls=tls,
        connect_timeout=CONNECT_WITHIN_S,
        reconnect_time_wait=RECONNECT_AFTER_S,
        max_reconnect_attempts=-1,
        ping_interval=PING_EVERY_S,
        max_outstanding_pings=LOST_AFTER_PINGS,
        drain_timeout=DRAIN_WITHIN_S,
        error_cb=_failed,
        disconnected_cb=_disconnected,
        reconnected_cb=reconnected,
    )


async def _failed(error: Exception) -> None:
    _log.warning("the connection to the cluster: %s", error or type(error).__name__)


async def _disconnected() -> None:
    _log.warning("a connection to the cluster was lost")
