"""The cluster file: the addresses of a NATS cluster's nodes, and our secrets there.

`python -m cloud_bridge nats write` creates it together with the configuration of every node, and CHARGEKEEPER_NATS
names it. It is one JSON file, so that it can be mounted as a secret.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cloud_bridge.errors import SettingError
from cloud_bridge.ingest.cluster.nkey import BadKey, Signer
from cloud_bridge.paths import path_number

ACCOUNT = "UNITS"  # the account of the units and of our own clients
BRIDGE_USER = "bridge"  # in ACCOUNT
OCPP_USER = "ocpp"  # in ACCOUNT: for OCPP doors, with permissions of their own (node_files.py)
SYSTEM_USER = "system"  # in the system account: lists and closes connections
MAX_NODES = 9


class Node(NamedTuple):
    """One server of the cluster."""

    name: str
    host: str
    client_port: int  # for our processes
    mqtt_port: int  # for units


class Cluster(NamedTuple):
    """The content of the cluster file."""

    nodes: Sequence[Node]
    bridge_secret: str
    system_secret: str
    issuer_seed: str  # signs the answers to logins (nkey.py)
    ca: str | None  # PEM file of the authority that verifies the nodes' certificates; None without TLS
    ocpp_secret: str = ""  # of the OCPP doors; "" in a file of an older version

    @property
    def is_doors(self) -> bool:
        """Whether this is the file for OCPP doors, which has no other secrets."""
        return not self.bridge_secret

    @property
    def servers(self) -> list[str]:
        """The URLs of the nodes for our clients."""
        scheme = "nats" if self.ca is None else "tls"
        return [f"{scheme}://{node.host}:{node.client_port}" for node in self.nodes]

    @property
    def paths(self) -> dict[int, str]:
        """The names of the nodes by path number."""
        return {path_number(node.name): node.name for node in self.nodes}


def read_cluster(file: Path) -> Cluster:
    """Read the cluster file. Raises SettingError, which says what to do."""
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"CHARGEKEEPER_NATS: cannot read {file}: {error}") from error
    try:
        return _cluster(json.loads(text))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise SettingError(
            f"CHARGEKEEPER_NATS: {file} is not what `nats write` makes ({reason}): write it anew"
        ) from error


def cluster_text(cluster: Cluster) -> str:
    """Return the text of the cluster file, for `read_cluster`. It has secrets."""
    return json.dumps(cluster._asdict() | {"nodes": [node._asdict() for node in cluster.nodes]}, indent=1) + "\n"


def door_text(cluster: Cluster) -> str:
    """Return the text of the file for OCPP doors. These processes are exposed to unknown clients, so they get only the
    secret that they need."""
    return cluster_text(cluster._replace(bridge_secret="", system_secret="", issuer_seed=""))


def _cluster(said: dict[str, Any]) -> Cluster:
    nodes = [
        Node(_text(one["name"]), _text(one["host"]), _port(one["client_port"]), _port(one["mqtt_port"]))
        for one in said["nodes"]
    ]
    if not 1 <= len(nodes) <= MAX_NODES or len({node.name for node in nodes}) < len(nodes):
        raise ValueError(f"one to {MAX_NODES} nodes, each with a name of its own")
    if len({path_number(node.name) for node in nodes}) < len(nodes):
        raise ValueError("the names of two nodes have one number (cloud_bridge/paths.py): give one another name")
    for kind, doors in (
        ("client", {(node.host, node.client_port) for node in nodes}),
        ("mqtt", {(node.host, node.mqtt_port) for node in nodes}),
    ):
        if len(doors) < len(nodes):
            raise ValueError(f"two nodes have one {kind} port on one host: give each its own")
    ca = None if said["ca"] is None else _text(said["ca"])
    secrets = [said["bridge_secret"], said["system_secret"], said["issuer_seed"]]
    ocpp_secret = said.get("ocpp_secret") or ""
    if secrets == ["", "", ""]:
        return Cluster(nodes, "", "", "", ca, _text(ocpp_secret))
    bridge_secret, system_secret, issuer_seed = map(_text, secrets)
    cluster = Cluster(nodes, bridge_secret, system_secret, issuer_seed, ca, ocpp_secret and _text(ocpp_secret))
    try:
        Signer(cluster.issuer_seed)
    except BadKey as error:
        raise ValueError(f"issuer_seed: {error}") from error
    return cluster


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} is not text")
    return value


def _port(value: Any) -> int:
    if not isinstance(value, int) or not 0 < value < 65536:
        raise TypeError(f"{value!r} is not a port")
    return value
