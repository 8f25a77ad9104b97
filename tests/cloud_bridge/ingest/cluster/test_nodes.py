"""Are the nodes' answers combined correctly, without waiting for a node that has answered completely?"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest
from nats.aio.client import Client

from cloud_bridge.ingest.cluster import nodes as asking
from cloud_bridge.ingest.cluster.nodes import OVERLAP, PAGE, Nodes

Answer = TypeVar("Answer")
START = "2026-11-27T00:33:11.018734912Z"


def page(node: str, *clients: str) -> bytes:
    """Return a node's answer about its connections, numbered from 1."""
    told = [{"cid": number, "start": START, "mqtt_client": name} for number, name in enumerate(clients, 1)]
    data = {"now": START, "connections": told}
    return json.dumps({"server": {"id": node.upper(), "name": node}, "data": data}).encode()


class FakeClient:
    """Answers a request immediately, with the entry of `answers`."""

    def __init__(self, **answers: list[bytes]) -> None:
        self.answers = {name.replace("_", "."): said for name, said in answers.items()}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def new_inbox(self) -> str:
        return "inbox"

    async def subscribe(self, subject: str, cb: Callable[[Any], Awaitable[None]]) -> None:
        assert subject == "inbox.*"
        self._heard = cb

    async def publish(self, subject: str, body: bytes, reply: str) -> None:
        what = subject.removeprefix("$SYS.REQ.SERVER.")
        self.asked.append((what, json.loads(body)))
        for answer in self.answers.get(what, []):
            await self._heard(SimpleNamespace(subject=reply, data=answer))
            await self._heard(SimpleNamespace(subject="inbox.0", data=b"of a question that is over"))


def ask(client: FakeClient, question: Callable[[Nodes], Awaitable[Answer]]) -> Answer:
    """Ask a cluster of two nodes."""

    async def asked() -> Answer:
        nodes = Nodes(cast(Client, client), 2)
        await nodes.start()
        return await question(nodes)

    return asyncio.run(asked())


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten timeouts, for answers that never come."""
    for name in ("ANSWER_WITHIN_S", "PAGE_WITHIN_S", "ID_WITHIN_S"):
        monkeypatch.setattr(asking, name, 0.01)


def test_when_every_node_has_told_the_answer_is_complete() -> None:
    client = FakeClient(PING_CONNZ=[page("n1", "home-1", "home-2"), page("n2", "home-1")])
    found = ask(client, lambda nodes: nodes.connections_of("home-1"))
    assert found.is_complete
    assert [(one.server_id, one.number) for one in found.connections] == [("N1", 1), ("N2", 1)]
    assert client.asked == [("PING.CONNZ", {"mqtt_client": "home-1", "auth": True})]


def test_without_a_node_or_with_an_answer_that_is_none_it_is_not_complete() -> None:
    for answers in ([page("n1", "home-1")], [page("n1", "home-1"), b"{}"]):
        found = ask(FakeClient(PING_CONNZ=answers), lambda nodes: nodes.connections_of("home-1"))
        assert not found.is_complete and len(found.connections) == 1


@pytest.mark.parametrize("answers", [[page("n1", "home-1")], [page("n1"), page("n2")]])
def test_the_first_that_was_found_may_be_enough_and_so_are_all_nodes(
    answers: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ANSWER_WITHIN_S", 1000.0)
    found = ask(FakeClient(PING_CONNZ=answers), lambda nodes: nodes.connections_of("home-1", True))
    assert len(found.connections) == len(answers) % 2


class Slow(FakeClient):
    """Its second answer comes later than its first."""

    async def publish(self, subject: str, body: bytes, reply: str) -> None:
        first, second = self.answers["PING.CONNZ"]
        await self._heard(SimpleNamespace(subject=reply, data=first))
        asyncio.get_running_loop().call_soon(self._later, reply, second)

    def _later(self, reply: str, answer: bytes) -> None:
        self._answering = asyncio.ensure_future(self._heard(SimpleNamespace(subject=reply, data=answer)))


@pytest.mark.parametrize("is_first_enough", [True, False])
def test_all_nodes_are_waited_for_unless_the_first_is_enough(
    monkeypatch: pytest.MonkeyPatch, is_first_enough: bool
) -> None:
    monkeypatch.setattr(asking, "ANSWER_WITHIN_S", 1000.0)
    client = Slow(PING_CONNZ=[page("n1", "home-1"), page("n2", "home-1")])
    asked = {"is_first_enough": True} if is_first_enough else {}
    found = ask(client, lambda nodes: nodes.connections_of("home-1", **asked))
    assert (len(found.connections), found.is_complete) == ((1, False) if is_first_enough else (2, True))


def test_more_answers_than_a_cluster_has_nodes_are_not_kept() -> None:
    answers = [b'{"id": "N%d", "name": "n"}' % number for number in range(asking.MAX_ANSWERS + 5)]
    assert len(ask(FakeClient(PING_IDZ=answers), Nodes.ids)) == asking.MAX_ANSWERS


def test_the_names_of_the_nodes_that_answer() -> None:
    answers = [b'{"id": "N1", "name": "n1"}', b'{"id": "N2"}', b'{"id": "N3", "name": "n3"}']
    assert ask(FakeClient(PING_IDZ=answers), Nodes.ids) == {"N1": "n1", "N3": "n3"}


async def all_pages(nodes: Nodes) -> list[int]:
    return [one.rows async for one in nodes.pages("N1")]


def test_pages_are_asked_for_until_one_is_not_full_and_overlap() -> None:
    class Paging(FakeClient):
        async def publish(self, subject: str, body: bytes, reply: str) -> None:
            clients = ["home-1"] * (1 if self.asked else PAGE)
            self.answers = {"N1.CONNZ": [page("n1", *clients)]}
            await super().publish(subject, body, reply)

    client = Paging()
    assert ask(client, all_pages) == [PAGE, 1]
    assert [body["offset"] for _, body in client.asked] == [0, PAGE - OVERLAP]
    assert {body["limit"] for _, body in client.asked} == {PAGE}


def test_a_node_that_tells_nothing_is_a_timeout() -> None:
    for answers in ([], [b"{}"]):
        with pytest.raises(TimeoutError, match="N1"):
            ask(FakeClient(N1_CONNZ=answers), all_pages)


def test_a_connection_is_ended_by_its_number() -> None:
    client = FakeClient(N1_KICK=[b"{}"])
    ask(client, lambda nodes: nodes.end("N1", 7))
    assert client.asked == [("N1.KICK", {"cid": 7})]
