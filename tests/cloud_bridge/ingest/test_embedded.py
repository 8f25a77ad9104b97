"""Where does the embedded broker listen, and where does its canary find it?"""

import asyncio
from typing import Any

import pytest

from cloud_bridge.connection_limits import divide
from cloud_bridge.ingest.embedded import EmbeddedBroker
from cloud_bridge.listening_sockets import ANYWHERE, LOOPBACK


class Parts:
    """What it needs to be made, all in one; it listens nowhere."""

    canary_secret = "secret"

    def __init__(self) -> None:
        self.counters = self.clock = self
        self.listened: list[tuple[Any, ...]] = []

    async def start(self) -> None:
        """Of amqtt."""

    async def listen(self, *where: Any) -> int:
        self.listened.append(where)
        return 4711


@pytest.mark.parametrize(
    ("host", "found_at"),
    [*((anywhere, LOOPBACK) for anywhere in ANYWHERE), (LOOPBACK, LOOPBACK), ("192.0.2.7", "192.0.2.7")],
)
def test_it_is_found_where_it_listens(host: str, found_at: str) -> None:
    async def started() -> tuple[Any, Parts]:
        parts: Any = Parts()
        made: Any = EmbeddedBroker(parts, parts, parts, parts, divide(1000))
        made._broker = made._listener = parts
        assert (made.host, made.port, made.tls_port, made.trouble) == ("", 0, None, None)
        await made.start(host, 1883)
        await made.start_tls(host, 8883, "its certificate")
        return made, parts

    made, parts = asyncio.run(started())
    assert (made.host, made.port, made.tls_port) == (found_at, 4711, 4711)
    assert parts.listened == [(host, 1883), (host, 8883, "its certificate")]
    address = made.canary()._address
    assert (address.host, address.port, address.secret, address.tls) == (found_at, 4711, "secret", None)
