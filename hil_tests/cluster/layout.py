"""The processes of a cluster on this machine, and their ports. Pure.

All ports are consecutive, so that clusters side by side only need different first ports.
"""

from collections.abc import Iterator
from typing import NamedTuple

from hil_tests.fixtures.nats_cluster import NodePorts

FIRST_PORT = 8200
NODES = 3
OF_EACH_ROLE = 2
ROLES = ("web", "ingest", "auth", "upkeep")


class Worker(NamedTuple):
    """A process of the bridge."""

    role: str
    number: int  # from 1
    port: int  # for its pages, or only for its /healthz

    @property
    def name(self) -> str:
        return f"{self.role}-{self.number}"


class Layout(NamedTuple):
    """The ports of all processes."""

    workers: list[Worker]
    nodes: list[NodePorts]
    postgresql_port: int

    @property
    def ports(self) -> Iterator[tuple[int, str]]:
        """Yield all ports, each with the name of its process."""
        yield from ((worker.port, worker.name) for worker in self.workers)
        yield self.postgresql_port, "PostgreSQL"
        for number, node in enumerate(self.nodes, 1):
            yield from ((port, f"the node n{number}") for port in node)


def layout(first_port: int) -> Layout:
    """Return the layout. The web processes have the first two ports."""
    ports = iter(range(first_port, 65_536))
    workers = [Worker(role, number, next(ports)) for role in ROLES for number in range(1, OF_EACH_ROLE + 1)]
    postgresql_port = next(ports)
    nodes = [
        NodePorts(mqtt=next(ports), client=next(ports), cluster=next(ports), monitor=next(ports)) for _ in range(NODES)
    ]
    return Layout(workers, nodes, postgresql_port)
