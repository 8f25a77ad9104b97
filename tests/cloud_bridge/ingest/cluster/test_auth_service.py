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
        self.nodes: tuple[Any, ...] = ("a", "b", "c")
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
    assert "no node of the cluster is reachable" in why_not()


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


class Part(Parts):
    """Each part that the service makes, told apart by its name in `done`."""

    def __init__(self, done: list[str], name: str, ends_with: Exception | None = None) -> None:
        super().__init__()
        self._done, self._name, self._ends_with = done, name, ends_with
        self.counters = self.security_log = self.unknown_clients = self
        self.nodes = (self,)
        self.name, self.issuer_seed = "n1", "seed"

    def separate(self, _connections: int) -> "Part":
        return self

    async def start(self, *_: Any) -> None:
        self._done.append(f"{self._name} begins")

    async def run(self, *_: Any) -> None:
        self._done.append(f"{self._name} runs")
        if self._ends_with is not None:
            await asyncio.get_running_loop().run_in_executor(None, int)  # the others begin
            raise self._ends_with
        await asyncio.Event().wait()

    async def finish(self) -> None:
        self._done.append(f"{self._name} ends")

    async def write(self) -> None:
        self._done.append(f"{self._name} is written")

    def close(self) -> Any:
        self._done.append(f"{self._name} is closed")
        return asyncio.sleep(0) if self._name in ("bridge", "system") else None


def test_what_fails_of_it_ends_it_with_its_own_error_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def making(name: str, ends_with: Exception | None = None) -> Any:
        return lambda *_: Part(done, name, ends_with)

    async def connected(part: Part) -> Part:
        return part

    async def keep_messages(*_: Any) -> None:
        done.append("messages are kept")

    monkeypatch.setattr(auth_service, "keep_messages", keep_messages)
    for name in ("connect_bridge", "connect_system"):
        monkeypatch.setattr(auth_service, name, lambda *_, name=name: connected(Part(done, name.partition("_")[2])))
    for name in ("Nodes", "Revocation", "PresenceWriter", "Census", "BatchedCredentials"):
        monkeypatch.setattr(auth_service, name, making(name))
    monkeypatch.setattr(auth_service, "AuthCallout", making("AuthCallout", ValueError("of its own")))
    for name in ("Admission", "Signer", "canary_secrets"):
        monkeypatch.setattr(auth_service, name, making(name))
    made = service(Part(done, "database"))
    with pytest.raises(ValueError, match="of its own"):
        asyncio.run(made.run(lambda: done.append("answering")))
    assert done == [
        "messages are kept",
        "Nodes begins",
        "AuthCallout begins",
        "answering",
        "PresenceWriter begins",
        "AuthCallout runs",
        "Revocation runs",
        "PresenceWriter runs",
        "Census runs",
        "AuthCallout ends",
        "PresenceWriter is written",
        "bridge is closed",
        "system is closed",
        "BatchedCredentials is closed",
        "database is closed",
    ]
