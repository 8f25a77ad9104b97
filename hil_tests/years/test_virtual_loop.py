"""Does the loop run on its own time, and carry connections in memory?"""

import asyncio

import pytest

from hil_tests.years.virtual_loop import VirtualLoop


def run(work: object) -> object:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work(loop))  # type: ignore[operator]
    finally:
        loop.close()


def test_a_year_of_sleep_takes_no_time() -> None:
    async def sleep(loop: VirtualLoop) -> float:
        await asyncio.sleep(31_536_000)
        return loop.time()

    assert run(sleep) == 31_536_000


def test_a_connection_is_two_ends_in_memory() -> None:
    async def talk(loop: VirtualLoop) -> bytes:
        class Echo(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.transport = transport

            def data_received(self, data: bytes) -> None:
                self.transport.write(data.upper())  # type: ignore[attr-defined]
                self.transport.close()

        loop.listen(1, Echo)
        reader, writer = await asyncio.open_connection("127.0.0.1", 1)
        writer.write(b"hello")
        return await reader.read()

    assert run(talk) == b"HELLO"


def test_nobody_listens() -> None:
    async def call(_: VirtualLoop) -> None:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", 1)

    run(call)
