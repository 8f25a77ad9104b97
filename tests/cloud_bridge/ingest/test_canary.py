"""Does a mark count only when the broker has acknowledged it, and is what it waited for named?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cloud_bridge.counters import Counters
from cloud_bridge.ingest import canary
from cloud_bridge.ingest.canary import ANSWERS, KEEPS, LETS_IN, BrokerAddress, Canary

HOST = "127.0.0.1"
LET_IN = b"\x20\x02\0\0"


def puback(number: int) -> bytes:
    return b"\x40\x02" + number.to_bytes(2)


class Broker:
    """Answers the packets of each connection with these, in turn; after them with nothing."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.heard: list[bytes] = []
        self.connections = 0
        self.port = 0
        self._serving: list[Any] = []  # the tasks of its connections

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        yield
        server.close()
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._serving.append(asyncio.current_task())
        try:
            while packet := await reader.read(1000):
                self.heard.append(packet)
                if self._answers:
                    writer.write(self._answers.pop(0))
        finally:
            writer.close()

    def canary(self, counters: Counters | None = None) -> Canary:
        return Canary(BrokerAddress(HOST, self.port, "secret"), counters or Counters(), "_canary-1")


def test_marks_go_over_one_connection_each_with_its_number() -> None:
    broker = Broker(LET_IN, puback(1), puback(2))

    async def run() -> None:
        async with broker.running():
            one = broker.canary()
            await one.send()
            await one.send()
            one.close()
            one.close()

    asyncio.run(run())
    login = b"\0\x04MQTT\x04\xc2\0\x14" + b"".join(
        len(part).to_bytes(2) + part for part in (b"_canary-1", b"_canary-1", b"secret")
    )
    mark = b"\0\x16cp/_canary-1/heartbeat\0%c{}"
    assert broker.connections == 1
    assert broker.heard == [
        b"\x10" + bytes([len(login)]) + login,
        b"\x32" + bytes([len(mark % 1)]) + mark % 1,
        b"\x32" + bytes([len(mark % 2)]) + mark % 2,
    ]


@pytest.mark.parametrize(
    ("answers", "waited_for"),
    [([], LETS_IN), ([LET_IN], KEEPS), ([LET_IN, puback(1)], None)],
    ids=["login", "mark", "none"],
)
def test_what_it_waited_for_is_named_and_counted(
    monkeypatch: pytest.MonkeyPatch, answers: list[bytes], waited_for: str | None
) -> None:
    monkeypatch.setattr(canary, "ANSWER_WITHIN_S", 0.1 if waited_for else 5)
    counters = Counters()

    async def run() -> str | None:
        broker = Broker(*answers)
        async with broker.running():
            one = broker.canary(counters)
            try:
                await one.send_counted()
            except TimeoutError as error:
                return str(error)
            finally:
                one.close()
            return None

    said = asyncio.run(run())
    assert said == (waited_for and f"{waited_for} within 0.1 s")
    assert counters.canaries_lost == (waited_for is not None)


def test_a_broker_that_is_not_there_is_waited_for_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "ANSWER_WITHIN_S", 0.05)

    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio, "open_connection", never)
    with pytest.raises(TimeoutError, match="^the broker did not answer within"):
        asyncio.run(Canary(BrokerAddress(HOST, 1, ""), Counters()).send())
    assert ANSWERS == "the broker did not answer"


@pytest.mark.parametrize("answers", [[b"\x20\x02\0\x05"], [LET_IN, puback(7)]], ids=["refused", "of another mark"])
def test_after_another_answer_it_begins_on_a_new_connection(answers: list[bytes]) -> None:
    broker, counters = Broker(*answers, LET_IN, puback(2), puback(1)), Counters()

    async def run() -> None:
        async with broker.running():
            one = broker.canary(counters)
            with pytest.raises(ConnectionError, match=answers[-1].hex()):
                await one.send_counted()
            if len(answers) == 2:  # the first mark had number 1
                await one.send_counted()
            one.close()

    asyncio.run(run())
    assert counters.canaries_lost == 1 and broker.connections == len(answers)
