"""Query the nodes about their connections, and close connections, over the system account."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any, NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg

from cloud_bridge.ingest.cluster.cluster_file import ACCOUNT
from cloud_bridge.ingest.cluster.connz import NodeConnection, Page, read_page

ANSWER_WITHIN_S = 0.5  # a node answers in milliseconds
PAGE_WITHIN_S = 5.0
ID_WITHIN_S = 2.0  # also for a node that is busy with a thousand logins
PAGE = 1024  # connections, the maximum in one answer of a node
OVERLAP = 64  # connections in two successive pages: if a connection ends, those after it move up
MAX_PAGES = 1000  # of one node
MAX_ANSWERS = 16  # to one query; more than the nodes of a cluster


class Found(NamedTuple):
    """The connections of one client id."""

    connections: list[NodeConnection]
    is_complete: bool  # all nodes of the cluster have answered


class _Question:
    def __init__(self, is_enough: Callable[[list[bytes]], bool]) -> None:
        self.answers: list[bytes] = []
        self.enough = asyncio.Event()
        self._is_enough = is_enough

    def take(self, answer: bytes) -> None:
        if len(self.answers) < MAX_ANSWERS:
            self.answers.append(answer)
        if self._is_enough(self.answers):
            self.enough.set()


class Nodes:
    """The nodes of the cluster. Used on one event loop. `client` is connected to the system account."""

    def __init__(self, client: Client, expected: int) -> None:
        """`expected` is the number of nodes that the cluster has."""
        self._client = client
        self._expected = expected
        self._inbox = client.new_inbox()
        self._questions: dict[str, _Question] = {}
        self._numbers = count(1)

    async def start(self) -> None:
        """Subscribe to the answers. Call this before any query."""
        await self._client.subscribe(f"{self._inbox}.*", cb=self._answered)

    async def connections_of(self, client_id: str, is_first_enough: bool = False) -> Found:
        """Return the connections of a client id. With `is_first_enough`, return as soon as one is found."""
        pages: list[Page] = []

        def is_enough(answers: list[bytes]) -> bool:
            page = read_page(answers[-1])
            if page is not None:
                pages.append(page)
            return len(pages) >= self._expected or (is_first_enough and bool(page and page.connections))

        await self._ask("PING.CONNZ", {"mqtt_client": client_id, "auth": True}, ANSWER_WITHIN_S, is_enough)
        found = [each for page in pages for each in page.connections if each.client_id == client_id]
        return Found(found, len(pages) >= self._expected)

    async def ids(self) -> dict[str, str]:
        """Return the names of the nodes that answer, by id. A node has a new id after each start."""
        answers = await self._ask("PING.IDZ", {}, ID_WITHIN_S, lambda heard: len(heard) >= self._expected)
        return {said["id"]: said["name"] for answer in answers if (said := _identity(answer))}

    async def pages(self, server_id: str) -> AsyncIterator[Page]:
        """Yield all connections of one node, page by page. Some may occur twice. Raises TimeoutError."""
        for number in range(MAX_PAGES):
            body = {"acc": ACCOUNT, "auth": True, "sort": "cid", "limit": PAGE, "offset": number * (PAGE - OVERLAP)}
            answers = await self._ask(f"{server_id}.CONNZ", body, PAGE_WITHIN_S, bool)
            page = read_page(answers[0]) if answers else None
            if page is None:
                raise TimeoutError(f"node {server_id} does not list its connections")
            yield page
            if page.rows < PAGE:
                return

    async def end(self, server_id: str, number: int) -> None:
        """Close a connection at once, without a message to the client, even while its login waits for an answer. If the
        node does not answer, it may not have closed it."""
        # nats-server 2.15.1 ignores the request if it has no reply subject.
        await self._ask(f"{server_id}.KICK", {"cid": number}, ANSWER_WITHIN_S, bool)

    async def _ask(
        self, what: str, body: dict[str, Any], within_s: float, is_enough: Callable[[list[bytes]], bool]
    ) -> list[bytes]:
        """Send a query. Return the answers that came until there were enough, or until the timeout."""
        name = str(next(self._numbers))
        question = self._questions[name] = _Question(is_enough)
        try:
            await self._client.publish(
                f"$SYS.REQ.SERVER.{what}", json.dumps(body).encode(), reply=f"{self._inbox}.{name}"
            )
            async with asyncio.timeout(within_s):
                await question.enough.wait()
        except TimeoutError:
            pass  # the caller checks how many answers there are
        finally:
            del self._questions[name]
        return question.answers

    async def _answered(self, message: Msg) -> None:
        question = self._questions.get(message.subject.rpartition(".")[2])
        if question is not None and message.data:
            question.take(message.data)


def _identity(answer: bytes) -> dict[str, str] | None:
    try:
        said = json.loads(answer)
        return {"id": str(said["id"]), "name": str(said["name"])}
    except (ValueError, KeyError, TypeError):
        return None
