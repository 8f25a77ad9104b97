"""Is a port that lets nobody in, or answers nothing, named, and is a mark that is lost counted?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cloud_bridge.counters import Counters
from cloud_bridge.ingest.ocpp import door_canary
from cloud_bridge.ingest.ocpp.door_canary import DoorAddress, DoorCanary

HOST = "127.0.0.1"
REFUSES = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def port(answer: bytes) -> AsyncIterator[DoorAddress]:
    """One that answers each request so; nothing: it leaves whoever comes waiting."""
    serving: list[Any] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            if not answer:
                await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(take, HOST, 0)
    try:
        yield DoorAddress(HOST, server.sockets[0].getsockname()[1], False)
    finally:
        server.close()
        for one in serving:
            one.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def lost_at(answer: bytes) -> tuple[str, str, int]:
    """The error of a mark that goes there, the port that it should name, and how many marks are lost."""
    counters = Counters()
    async with port(answer) as door:
        with pytest.raises(OSError) as error:  # a TimeoutError is one too
            await DoorCanary([door], "secret", counters).send_counted()
        return f"{type(error.value).__name__}: {error.value}", str(door.port), counters.canaries_lost


def test_a_port_that_lets_nobody_in_is_named() -> None:
    said, number, lost = asyncio.run(lost_at(REFUSES))
    assert said.startswith(f"ConnectionError: OCPP port {number}") and lost == 1


def test_a_port_that_answers_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_canary, "ANSWER_WITHIN_S", 0.05)
    said, number, lost = asyncio.run(lost_at(b""))
    assert said == f"TimeoutError: OCPP port {number} did not answer within 0.05 s" and lost == 1
