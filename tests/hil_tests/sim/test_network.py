"""Does each network trouble do what its name says, and only in its own direction?"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hil_tests.sim.network import WAITING_BYTES, Network, Way, read_way

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Network], Awaitable[None]]


def through(talk: Talk) -> None:
    """Run `talk` over a network to an echo server."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1000):
            writer.write(chunk)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        network = Network("127.0.0.1", server.sockets[0].getsockname()[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", await network.start())
        async with asyncio.timeout(5):
            await talk(reader, writer, network)
        writer.close()
        await network.outage()
        server.close()
        await asyncio.sleep(0.01)  # for the streams to be told

    asyncio.run(run())


async def _nothing_comes(reader: asyncio.StreamReader) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.read(1)


def test_without_trouble_bytes_pass_and_are_counted() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, network: Network) -> None:
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert network.carried == {"up": 5, "down": 5}

    through(talk)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_swallowed_bytes_are_gone_and_nobody_is_told(direction: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, network: Network) -> None:
        setattr(network, direction, Way(swallow=True))
        writer.write(b"lost")
        await _nothing_comes(reader)
        network.heal()
        writer.write(b"kept")
        assert await reader.readexactly(4) == b"kept"

    through(talk)


def test_a_delay_keeps_the_order() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, network: Network) -> None:
        network.up = Way(delay=0.05, jitter=0.05)
        before_s = asyncio.get_running_loop().time()
        for number in range(10):
            writer.write(bytes((number,)))
            await asyncio.sleep(0.001)
        assert await reader.readexactly(10) == bytes(range(10))
        assert asyncio.get_running_loop().time() - before_s >= 0.05

    through(talk)


def test_a_cut_lets_so_many_bytes_through_and_resets_once() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, network: Network) -> None:
        network.up = Way(cut=3)
        writer.write(b"abcdef")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(6)
        assert network.up.cut is None

    through(talk)


def test_slices_and_a_rate_let_everything_through() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, network: Network) -> None:
        network.down = Way(slice=1, rate=2000)
        before_s = asyncio.get_running_loop().time()
        writer.write(bytes(100))
        assert await reader.readexactly(100) == bytes(100)
        assert asyncio.get_running_loop().time() - before_s >= 0.04

    through(talk)


def test_the_end_of_a_sender_arrives_behind_all_that_it_sent() -> None:
    """Also if more is in flight than the network can carry at once."""
    heard = bytearray()
    ended = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(100_000):
            heard.extend(chunk)
        ended.set()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        network = Network("127.0.0.1", server.sockets[0].getsockname()[1])
        network.up = Way(delay=0.2)
        _, writer = await asyncio.open_connection("127.0.0.1", await network.start())
        writer.write(bytes(2 * WAITING_BYTES))
        await writer.drain()
        writer.write_eof()
        async with asyncio.timeout(5):
            await ended.wait()
        writer.close()
        await network.outage()
        server.close()
        await asyncio.sleep(0.01)

    asyncio.run(run())
    assert len(heard) == 2 * WAITING_BYTES


def test_an_outage_resets_and_refuses_until_it_is_over() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, network: Network) -> None:
        writer.write(b"x")
        await reader.readexactly(1)
        await network.outage()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", network.port)
        await network.start()
        again_reader, again = await asyncio.open_connection("127.0.0.1", network.port)
        again.write(b"y")
        assert await again_reader.readexactly(1) == b"y"
        again.close()

    through(talk)


def test_faults_are_read_by_name() -> None:
    assert read_way("delay=0.2,slice=3,swallow") == Way(swallow=True, delay=0.2, slice=3)
    with pytest.raises(ValueError, match="'wobble' is none of"):
        read_way("wobble=1")
