"""Is every connection of the cluster looked at, and are those of before a change compared once for each run of a node?"""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from cloud_bridge.ingest.cluster.census import Census


class Cluster:
    """Nodes, revocation and presence in one; `done` is what was asked of them."""

    def __init__(self) -> None:
        self.nodes = {"N1": "n1", "N2": "n2"}
        self.told = {"N1": [(5, ["a"]), (9, ["b"])], "N2": [(7, ["c"])]}
        self.pursuit = SimpleNamespace(has_missed=False)
        self.done: list[tuple[Any, ...]] = []

    async def ids(self) -> dict[str, str]:
        return self.nodes

    async def pages(self, server_id: str) -> AsyncIterator[Any]:
        for at_ms, connections in self.told[server_id]:
            yield SimpleNamespace(at_ms=at_ms, connections=connections)

    async def compare(self, page: Any) -> set[str]:
        return set(page.connections)

    async def end_former(self, connections: list[str]) -> None:
        self.done.append(("former", *connections))

    async def compare_absent(self, node: str, there: set[str], began_ms: int) -> None:
        self.done.append((node, sorted(there), began_ms))


def test_all_pages_of_all_nodes_are_compared_and_former_connections_once() -> None:
    cluster: Any = Cluster()
    census = Census(cluster, cluster, cluster)

    def taken() -> list[tuple[Any, ...]]:
        cluster.done.clear()
        asyncio.run(census.take())
        done: list[tuple[Any, ...]] = cluster.done
        return done

    absent = [("n1", ["a", "b"], 5), ("n2", ["c"], 7)]
    former = [("former", "a"), ("former", "b"), ("former", "c")]
    assert taken() == [*former[:2], absent[0], former[2], absent[1]]
    assert taken() == absent
    cluster.pursuit.has_missed = True
    assert taken() == [*former[:2], absent[0], former[2], absent[1]] and not cluster.pursuit.has_missed
    cluster.nodes = {"N2": "n2"}
    assert taken() == absent[1:]
    cluster.nodes = {"N1": "n1", "N2": "n2"}
    assert taken() == [*former[:2], *absent], "it did not answer in between"
    cluster.told["N2"] = []
    assert taken() == absent[:1], "it has told nothing"
