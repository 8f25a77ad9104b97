"""Does the process that answers logins wait for its cluster, and say what it waits for?"""

import asyncio
from typing import Any

import pytest
from nats.errors import Error, NoServersError

from cloud_bridge.errors import SettingError
from cloud_bridge.ingest.cluster import auth_service
from cloud_bridge.ingest.cluster.auth_service import CONNECT_AGAIN_S, NAME, AuthService


class Parts:
    """What it is made of, in all of their places; and the time that it has waited."""

    def __init__(self) -> None:
        self.nodes = ("a", "b", "c")
        self.is_connected = True
        self.required: list[Any] = []
        self.waited_s: list[float] = []

    def require(self, why_not: Any) -> None:
        self.required.append(why_not)

    def jetstream(self) -> str:
        return "its streams"


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    made = Parts()

    async def sleep(seconds: float) -> None:
        made.waited_s.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return made


def service(parts: Any) -> AuthService:
    return AuthService(parts, parts, parts, parts, parts)


def test_it_is_ready_once_it_answers_over_a_connection_that_stands(parts: Parts) -> None:
    made: Any = service(parts)
    [why_not] = parts.required
    assert "no login is answered yet" in why_not()
    made._answering_over = parts
    assert why_not() is None
    parts.is_connected = False
    assert "no node of the cluster answers" in why_not()


def test_messages_are_kept_before_anybody_is_let_in(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[Exception | None] = [TimeoutError(), Error(), SettingError("no room"), None]
    asked: list[tuple[Any, ...]] = []

    async def keep_messages(*arguments: Any) -> None:
        asked.append(arguments)
        if (error := ends.pop(0)) is not None:
            raise error

    monkeypatch.setattr(auth_service, "keep_messages", keep_messages)
    made: Any = service(parts)
    asyncio.run(made._keep_messages(parts))
    assert asked == [("its streams", 3)] * 4 and parts.waited_s == [CONNECT_AGAIN_S] * 3


def test_a_node_that_answers_is_waited_for(parts: Parts) -> None:
    ends: list[Any] = [OSError("refused"), NoServersError(), "a client"]
    asked: list[tuple[Any, ...]] = []

    async def connect(*arguments: Any) -> Any:
        asked.append(arguments)
        if isinstance(end := ends.pop(0), Exception):
            raise end
        return end

    made: Any = service(parts)
    assert asyncio.run(made._connected(connect)) == "a client"
    assert asked == [(parts, NAME)] * 3 and parts.waited_s == [CONNECT_AGAIN_S] * 2
