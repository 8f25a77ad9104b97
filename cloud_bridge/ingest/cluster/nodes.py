"""Asks the nodes about their connections, and ends connections: over the system account, all nodes at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any, NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg

from cloud_bridge.ingest.cluster.cluster_file import ACCOUNT
from cloud_bridge.ingest.cluster.connz import NodeConnection, Page, read_page

ANSWER_WITHIN_S = 0.5  # a node answers in milliseconds, one that is gone never
PAGE_WITHIN_S = 5.0
ID_WITHIN_S = 2.0  # of a node that has a thousand logins to see to
PAGE = 1024  # connections, the most that a node tells at once
OVERLAP = 64  # of two pages: when a connection ends, those after it move up
MAX_PAGES = 1000  # of one node
MAX_ANSWERS = 16  # to one question; more than a cluster has nodes


class Found(NamedTuple):
    """The connections of one client id."""

    connections: list[NodeConnection]
    is_complete: bool  # every node of the cluster has answered


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
    """Used on one event loop. `client` is connected to the system account."""

    def __init__(self, client: Client, expected: int) -> None:
        """`expected` is the number of nodes that the cluster has."""
        self._client = client
        self._expected = expected
        self._inbox = client.new_inbox()
        self._questions: dict[str, _Question] = {}
        self._numbers = count(1)

    async def start(self) -> None:
        """Before anything is asked."""
        await self._client.subscribe(f"{self._inbox}.*", cb=self._answered)

    async def connections_of(self, client_id: str, is_first_enough: bool = False) -> Found:
        """With `is_first_enough` it returns as soon as one was found."""
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
        """Of the nodes that answer: the name of each by its id, which is another after each start."""
        answers = await self._ask("PING.IDZ", {}, ID_WITHIN_S, lambda heard: len(heard) >= self._expected)
        return {said["id"]: said["name"] for answer in answers if (said := _identity(answer))}

    async def pages(self, server_id: str) -> AsyncIterator[Page]:
        """All connections of one node. Some are told twice. Raises TimeoutError."""
        for number in range(MAX_PAGES):
            body = {"acc": ACCOUNT, "auth": True, "sort": "cid", "limit": PAGE, "offset": number * (PAGE - OVERLAP)}
            answers = await self._ask(f"{server_id}.CONNZ", body, PAGE_WITHIN_S, bool)
            page = read_page(answers[0]) if answers else None
            if page is None:
                raise TimeoutError(f"node {server_id} does not tell its connections")
            yield page
            if page.rows < PAGE:
                return

    async def end(self, server_id: str, number: int) -> None:
        """A connection, at once and without a word to the client, also while its login waits for an answer. A node that
        does not answer may not have done it."""
        # nats-server 2.15.1 does nothing without an address for its answer.
        await self._ask(f"{server_id}.KICK", {"cid": number}, ANSWER_WITHIN_S, bool)

    async def _ask(
        self, what: str, body: dict[str, Any], within_s: float, is_enough: Callable[[list[bytes]], bool]
    ) -> list[bytes]:
        """What was answered until it was enough, or in time."""
        name = str(next(self._numbers))
        question = self._questions[name] = _Question(is_enough)
        try:
            await self._client.publish(
                f"$SYS.REQ.SERVER.{what}", json.dumps(body).encode(), reply=f"{self._inbox}.{name}"
            )
            async with asyncio.timeout(within_s):
                await question.enough.wait()
        except TimeoutError:
            pass  # then less was answered, as the caller sees
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
