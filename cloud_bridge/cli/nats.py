"""`python -m cloud_bridge nats write`: writes the configuration of each node of a NATS cluster, and the files with which our
processes connect to it.

Secrets are created at first and retained later. To add or move a node, write again and restart each node.
"""

import argparse
import re
from pathlib import Path
from typing import NamedTuple

from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.errors import BridgeError
from cloud_bridge.ingest.cluster.cluster_file import MAX_NODES, Cluster, Node, cluster_text, door_text, read_cluster
from cloud_bridge.ingest.cluster.nkey import new_seed
from cloud_bridge.ingest.cluster.node_files import Certificate, PlacedNode, node_text
from cloud_bridge.listening_sockets import LOOPBACK
from cloud_bridge.settings import Settings
from cloud_bridge.store.private_files import make_private_folder, private_opener
from cloud_bridge.store.secrets import new_secret

CLUSTER_FILE = "cluster.json"
DOOR_FILE = "ocpp.json"  # CHARGEKEEPER_NATS of the role `ocpp`
ROUTE_SECRET = "route.secret"
NAME = re.compile(r"[A-Za-z0-9_-]{1,28}")  # with "_canary-" in front of it, no longer than a unit's id
PORTS = ("client", "cluster", "mqtt", "monitor")
DEFAULT_PORTS = {"client": 4222, "cluster": 6222, "mqtt": 1883, "mqtt over TLS": 8883}


class NodeOption(NamedTuple):
    """The value of `--node`."""

    name: str
    host: str
    ports: dict[str, int]


def declare(area: Area) -> None:
    write = area.command("write", "write the configuration of each node, and the files for our own processes", run)
    write.add_argument("--folder", type=Path, help="target folder; default: nats/ in the data folder")
    about = "NAME=HOST, or NAME=HOST,client=4222,cluster=6222,mqtt=8883,monitor=8222; once for each node"
    write.add_argument("--node", action="append", type=_node, required=True, help=about)
    write.add_argument("--store", type=Path, help="where a node stores its messages; default: beside its configuration")
    about = "PEM files on each node, valid for its name and address; without them, all nodes have to be on this machine"
    write.add_argument("--tls-cert", type=Path, help=about)
    write.add_argument("--tls-key", type=Path)
    write.add_argument("--tls-ca", type=Path, help="authority that verifies the nodes' certificates")


def run(settings: Settings, options: argparse.Namespace) -> Answer:
    """Write the files. Those with secrets are readable by this user only."""
    tls = _certificate(options)
    nodes: list[NodeOption] = options.node
    if len(nodes) > MAX_NODES or len({one.name for one in nodes}) < len(nodes):
        raise BridgeError(f"give 1 to {MAX_NODES} nodes, each with its own name")
    if tls is None and any(one.host != LOOPBACK for one in nodes):
        raise BridgeError(
            f"a node on another machine needs --tls-cert, --tls-key and --tls-ca; without them, use {LOOPBACK}"
        )
    folder: Path = (options.folder or settings.folder / "nats").resolve()
    try:
        make_private_folder(folder)
        cluster = _cluster(folder / CLUSTER_FILE, nodes, tls)
        route_secret = _kept_secret(folder / ROUTE_SECRET)
        places = [_place(one, options.store or folder / one.name, tls) for one in nodes]
        for place in places:
            _write(folder / f"{place.node.name}.conf", node_text(cluster, places, place, route_secret, tls))
        _write(folder / CLUSTER_FILE, cluster_text(cluster))
        _write(folder / DOOR_FILE, door_text(cluster))
    except OSError as error:
        raise BridgeError(f"cannot write the files for NATS in {folder}: {error.strerror}") from error
    return {
        "start": [f"nats-server -c {folder / one.name}.conf" for one in nodes],
        "CHARGEKEEPER_NATS": str(folder / CLUSTER_FILE),
    }


def _cluster(file: Path, nodes: list[NodeOption], tls: Certificate | None) -> Cluster:
    ca = None if tls is None else str(tls.ca)
    places = [_place(one, file.parent, tls).node for one in nodes]
    if file.exists():
        cluster = read_cluster(file)._replace(nodes=places, ca=ca)
        return cluster._replace(ocpp_secret=cluster.ocpp_secret or new_secret())
    return Cluster(places, new_secret(), new_secret(), new_seed(), ca, new_secret())


def _place(option: NodeOption, store: Path, tls: Certificate | None) -> PlacedNode:
    ports = DEFAULT_PORTS | {"mqtt": DEFAULT_PORTS["mqtt" if tls is None else "mqtt over TLS"]} | option.ports
    node = Node(option.name, option.host, ports["client"], ports["mqtt"])
    return PlacedNode(node, ports["cluster"], ports.get("monitor"), store)


def _node(text: str) -> NodeOption:
    name, _, rest = text.partition("=")
    host, *said = rest.split(",")
    ports = {}
    for one in said:
        kind, _, port = one.partition("=")
        if kind not in PORTS or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise argparse.ArgumentTypeError(
                f"{one!r} is not a port: write NAME=NUMBER, with a name of {', '.join(PORTS)}"
            )
        ports[kind] = int(port)
    if not NAME.fullmatch(name) or not host:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a node: write NAME=HOST, with letters, digits, _ and - in the name"
        )
    return NodeOption(name, host, ports)


def _certificate(options: argparse.Namespace) -> Certificate | None:
    files = (options.tls_cert, options.tls_key, options.tls_ca)
    if not any(files):
        return None
    if not all(files):
        raise BridgeError("give --tls-cert, --tls-key and --tls-ca together")
    return Certificate(*(file.resolve() for file in files))


def _kept_secret(file: Path) -> str:
    if not file.exists():
        _write(file, new_secret() + "\n")
    return file.read_text().strip()


def _write(file: Path, text: str) -> None:
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    with open(part, "x", opener=private_opener) as stream:
        stream.write(text)
    part.replace(file)
