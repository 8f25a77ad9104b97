"""The configuration of each node, as nats-server reads it (docs.nats.io, "Configuring NATS Server")."""

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
LOGIN_WITHIN_S = 10  # for an answer of ours to a login
ACK_WAIT = "30s"  # then a message that a unit has not acknowledged is delivered again
ANSWERED_WITHIN = "10s"  # by a door for OCPP
REPLICAS = 3
MAX_UNITS = 1_000_000  # that may subscribe to their commands; from 2.15 on a node allows 1,000 where nothing is said


class PlacedNode(NamedTuple):
    """Where a node listens, and where its files are."""

    node: Node
    cluster_port: int  # for the other nodes
    monitor_port: int | None  # of /healthz, on the loopback interface; None: not opened
    store: Path


class Certificate(NamedTuple):
    """PEM files on the node."""

    cert: Path
    key: Path
    ca: Path


def node_text(
    cluster: Cluster, places: list[PlacedNode], place: PlacedNode, route_secret: str, tls: Certificate | None
) -> str:
    """The file of one node. It has secrets."""
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
            # Each unit's subscription is a consumer. On disk it is an open file more for every unit and node, and all that it
            # remembers is which commands of the last minute the unit has.
            "consumer_memory_storage": True,
            "reject_qos2_publish": True,  # no unit of ours uses it, and what is never released would be kept for ever
            **({} if tls is None else {"tls": _tls(tls, verify=False)}),
        },
        **(
            {} if len(places) == 1 else {"cluster": routing}
        ),  # one alone would wait for others before it keeps anything
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
    return json.dumps(configuration, indent=1) + "\n"  # which the server reads as its own


def _door(cluster: Cluster) -> dict[str, object]:
    """A door for OCPP hears what is for its chargers and answers that; it reads and says nothing of any unit of ours."""
    may = {
        "subscribe": {"allow": ["ocpp.*.*"]},
        "publish": {"allow": ["ocpp.*.taken"]},
        "allow_responses": {"max": 1, "expires": ANSWERED_WITHIN},
    }
    return {"user": OCPP_USER, "password": cluster.ocpp_secret, "permissions": may}


def _tls(tls: Certificate, verify: bool) -> dict[str, object]:
    return {"cert_file": str(tls.cert), "key_file": str(tls.key), "ca_file": str(tls.ca), "verify": verify}
