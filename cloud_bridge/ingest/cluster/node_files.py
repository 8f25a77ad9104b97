"""Generate the configuration file of each node for nats-server (docs.nats.io, "Configuring NATS Server")."""

import json
from pathlib import Path
from typing import NamedTuple

from cloud_bridge.ingest.cluster.cluster_file import (
    ACCOUNT,
    BRIDGE_USER,
    OCPP_USER,
    SYSTEM_USER,
    Cluster,
    Node,
)
from cloud_bridge.ingest.cluster.nkey import Signer

CLUSTER_NAME = "chargekeeper"
ROUTE_USER = "route"
LOGIN_WITHIN_S = 10  # how long a node waits for our answer to a login
ACK_WAIT = "30s"  # a message that a unit has not acknowledged is redelivered after this time
ANSWERED_WITHIN = "10s"  # how long an OCPP door may answer a request
REPLICAS = 3
MAX_UNITS = 1_000_000  # consumers for the subscriptions of units; since 2.15 the default of a node is 1,000


class PlacedNode(NamedTuple):
    """A node, with its ports and its store directory."""

    node: Node
    cluster_port: int  # for the other nodes
    monitor_port: int | None  # of /healthz, on the loopback interface; None if it is not opened
    store: Path


class Certificate(NamedTuple):
    """PEM files on the node."""

    cert: Path
    key: Path
    ca: Path


def node_text(
    cluster: Cluster, places: list[PlacedNode], place: PlacedNode, route_secret: str, tls: Certificate | None
) -> str:
    """Return the configuration file of one node. It has secrets."""
    routes = [f"nats-route://{ROUTE_USER}:{route_secret}@{other.node.host}:{other.cluster_port}" for other in places]
    node = place.node
    doors = [_door(cluster)] if cluster.ocpp_secret else []
    routing = {
        "name": CLUSTER_NAME,
        "host": node.host,
        "port": place.cluster_port,
        "authorization": {"user": ROUTE_USER, "password": route_secret},
        "routes": routes,
        **({} if tls is None else {"tls": _tls(tls, verify=True)}),
    }
    configuration = {
        "server_name": node.name,
        "host": node.host,
        "port": node.client_port,
        **({} if place.monitor_port is None else {"http": f"127.0.0.1:{place.monitor_port}"}),
        **({} if tls is None else {"tls": _tls(tls, verify=False)}),
        "jetstream": {"store_dir": str(place.store), "max_mem": "256M", "max_file": "8G"},
        "mqtt": {
            "host": node.host,
            "port": node.mqtt_port,
            "stream_replicas": min(REPLICAS, len(places)),
            "consumer_replicas": min(REPLICAS, len(places)),
            "ack_wait": ACK_WAIT,
            # Each unit's subscription is a consumer. On disk it would need an open file for every unit on every node,
            # to store only which commands of the last minute the unit has received.
            "consumer_memory_storage": True,
            "reject_qos2_publish": True,  # not used by our units; without a PUBREL a message would be kept for ever
            **({} if tls is None else {"tls": _tls(tls, verify=False)}),
        },
        **(
            {} if len(places) == 1 else {"cluster": routing}
        ),  # a single node with routes would wait for others before it stores anything
        "accounts": {
            ACCOUNT: {
                "jetstream": {"max_consumers": MAX_UNITS},
                "users": [{"user": BRIDGE_USER, "password": cluster.bridge_secret}, *doors],
            },
            "SYS": {"users": [{"user": SYSTEM_USER, "password": cluster.system_secret}]},
        },
        "system_account": "SYS",
        "authorization": {
            "timeout": LOGIN_WITHIN_S,
            "auth_callout": {
                "issuer": Signer(cluster.issuer_seed).public,
                "auth_users": [BRIDGE_USER, *(door["user"] for door in doors), SYSTEM_USER],
                "account": ACCOUNT,
            },
        },
    }
    return json.dumps(configuration, indent=1) + "\n"  # nats-server's format is a superset of JSON


def _door(cluster: Cluster) -> dict[str, object]:
    """Return the user of OCPP doors. It may receive and answer requests for OCPP chargers only, and has no access to
    the topics of our own units."""
    may = {
        "subscribe": {"allow": ["ocpp.*.*"]},
        "publish": {"allow": ["ocpp.*.taken"]},
        "allow_responses": {"max": 1, "expires": ANSWERED_WITHIN},
    }
    return {"user": OCPP_USER, "password": cluster.ocpp_secret, "permissions": may}


def _tls(tls: Certificate, verify: bool) -> dict[str, object]:
    return {"cert_file": str(tls.cert), "key_file": str(tls.key), "ca_file": str(tls.ca), "verify": verify}
