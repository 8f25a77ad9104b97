"""Does M95 implement the older AT+QIxxx commands as in the recommended process, and fail as it says?"""

import asyncio

import pytest

from hil_tests.sim.modem.personality import M95
from tests.hil_tests.sim.modem.client import Client, press, switched_on
from tests.hil_tests.sim.modem.server import NASTY, serving
from tests.hil_tests.sim.modem.virtual_time import run

BRING_UP_S = 2
NETWORK_GONE_S = 70


async def activate(client: Client) -> None:
    for command in ("AT+QIFGCNT=0", 'AT+QICSGP=1,"internet"', "AT+QIMODE=0", "AT+QIDNSIP=1", "AT+QIREGAPP"):
        assert await client.ask(command) == ["OK"]
    assert await client.ask("AT+QIACT", BRING_UP_S) == ["OK"]
    assert await client.ask("AT+QILOCIP") == ["10.64.0.17"]


async def connect(client: Client, port: int) -> list[str]:
    return await client.ask(f'AT+QIOPEN="TCP","localhost",{port}', BRING_UP_S)


async def send(client: Client, payload: bytes) -> list[str]:
    assert await client.ask(f"AT+QISEND={len(payload)}") == ["> "]
    client.write(payload)
    return await client.lines(0.01)


async def state(client: Client) -> str:
    return (await client.ask("AT+QISTAT"))[1].removeprefix("STATE: ")


def test_does_one_connection_run_from_start_to_end() -> None:
    """Every state by its name, bytes that look like replies, data told once until it is read?"""

    async def scenario() -> None:
        async with switched_on(personality=M95) as (_, client), serving() as (server, port):
            assert await state(client) == "IP INITIAL"
            await activate(client)
            assert await state(client) == "IP STATUS"
            assert await client.ask("AT+QINDI=1") == ["OK"]
            assert await connect(client, port) == ["OK", "CONNECT OK"]
            assert await connect(client, port) == ["OK", "ALREADY CONNECT"]
            assert await state(client) == "CONNECT OK"
            assert await client.ask("AT+QISEND=5") == ["> "]
            client.write(b"hello")
            await client.sleep(0.1)
            assert client.read() == b"hello\r\nSEND OK\r\n"
            assert await client.ask("AT+QISDE=0") == ["OK"]
            assert await send(client, NASTY) == ["SEND OK"]
            await asyncio.sleep(1)
            assert bytes(server.received) == b"hello" + NASTY
            sent = len(b"hello" + NASTY)
            assert await client.ask("AT+QISACK") == [f"+QISACK: {sent}, {sent}, 0", "OK"]
            server.writers[0].write(b"test1 test2")
            assert await client.lines(1) == ["+QIRDI: 0,1,0"]
            assert await client.ask("AT+QIRD=0,1,0,5") == [f"+QIRD: 127.0.0.1:{port},TCP,5", "test1", "OK"]
            assert await client.ask("AT+QIRD=0,1,0,1500") == [f"+QIRD: 127.0.0.1:{port},TCP,6", " test2", "OK"]
            assert await client.ask("AT+QIRD=0,1,0,1500") == ["OK"]
            assert await client.ask("AT+QICLOSE") == ["CLOSE OK"]
            assert await state(client) == "IP CLOSE"
            assert await client.ask("AT+QIDEACT", 1) == ["DEACT OK"]
            assert await state(client) == "IP INITIAL"
            assert server.ended

    run(scenario())


def test_do_several_connections_carry_their_number() -> None:
    async def scenario() -> None:
        async with switched_on(personality=M95) as (_, client), serving() as (server, port):
            assert await client.ask("AT+QIMUX=1;+QINDI=2") == ["OK"]
            await activate(client)
            asked = f'AT+QIOPEN=3,"TCP","127.0.0.1",{port}'
            assert await client.ask(asked, BRING_UP_S) == ["OK", "3, CONNECT OK"]
            server.writers[0].write(b"hi")
            assert await client.lines(1) == ["+QIRDI: 0,1,3,1,2,2"]
            assert await client.ask("AT+QIRD=0,1,3,1500") == [f"+QIRD: 127.0.0.1:{port},TCP,2", "hi", "OK"]
            said = await client.ask("AT+QISTAT")
            assert said[1] == "STATE: IP PROCESSING"
            assert said[5] == f'+QISTATE: 3,"TCP","127.0.0.1","{port}","CONNECTED"'
            assert await client.ask("AT+QICLOSE=3") == ["3, CLOSE OK"]

    run(scenario())


def test_does_each_wrong_step_have_its_error() -> None:
    async def scenario() -> None:
        async with switched_on(personality=M95) as (modem, client), serving() as (_, port):
            for command in ("AT+QIACT", "AT+QILOCIP", "AT+QISEND=1", "AT+QICLOSE", "AT+QIRD=0,1,0,1500"):
                assert await client.ask(command) == ["ERROR"]
            assert await connect(client, port) == ["ERROR"]
            modem.world.set_service("23415", "no data")
            assert await client.ask("AT+QIREGAPP") == ["OK"]
            assert await client.ask("AT+QIACT", BRING_UP_S) == ["ERROR"]
            assert await state(client) == "PDP DEACT"
            modem.world.set_service("23415", "accept")
            assert await client.ask("AT+QIDEACT", 1) == ["DEACT OK"]
            await activate(client)
            assert await client.ask('AT+QIOPEN="TCP","no.such.host",80', BRING_UP_S) == ["OK", "CONNECT FAIL"]
            assert await connect(client, 1) == ["OK", "CONNECT FAIL"]
            assert await client.ask("AT+QIDNSIP=0") == ["OK"]
            assert await connect(client, port) == ["ERROR"]

    run(scenario())


def test_does_it_lose_connections_as_the_far_side_and_the_network_do() -> None:
    """CLOSED with the rest still to be read; +PDP DEACT, and only AT+QIDEACT leads on?"""

    async def scenario() -> None:
        async with switched_on(personality=M95) as (modem, client), serving() as (server, port):
            await activate(client)
            await client.ask("AT+QINDI=1")
            await connect(client, port)
            server.writers[0].write(b"last words")
            server.writers[0].close()
            assert await client.lines(1) == ["+QIRDI: 0,1,0", "CLOSED"]
            assert (await client.ask("AT+QIRD=0,1,0,1500"))[1] == "last words"
            assert await connect(client, port) == ["OK", "CONNECT OK"]
            modem.world.set_coverage(False)
            assert await client.lines(NETWORK_GONE_S) == ["+PDP DEACT"]
            assert await client.ask("AT+QIREGAPP") == ["ERROR"]
            modem.world.set_coverage(True)
            await client.sleep(10)
            assert await client.ask("AT+QIDEACT", 1) == ["DEACT OK"]
            await activate(client)
            assert await connect(client, port) == ["OK", "CONNECT OK"]

    run(scenario())


def test_does_data_come_at_once_without_indications() -> None:
    async def scenario() -> None:
        async with switched_on(personality=M95) as (_, client), serving() as (server, port):
            await activate(client)
            await connect(client, port)
            client.read()
            server.writers[0].write(NASTY)
            await client.sleep(1)
            assert client.read() == NASTY

    run(scenario())


def test_does_it_start_and_stop_by_its_key_and_its_command() -> None:
    async def scenario() -> None:
        async with switched_on(booted=False, personality=M95) as (modem, client):
            assert await client.lines(8) == ["RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready"]
            await press(modem, 0.7)
            assert not modem.running
            await client.sleep(1)
            await press(modem, 1.1)
            await client.sleep(10)
            await client.ask("ATE0")
            assert await client.ask("AT+CCLK?") == ['+CCLK: "04/01/01,00:00:00+00"', "OK"]
            assert await client.ask("AT+QPOWD=1", 1) == ["NORMAL POWER DOWN"]
            assert not modem.running

    run(scenario())


def test_does_the_engineering_mode_tell_its_cells() -> None:
    async def scenario() -> None:
        async with switched_on(personality=M95) as (_, client):
            assert await client.ask("AT+QENG?") == ["+QENG: 0,1", "OK"]
            assert await client.ask("AT+QENG=1,1") == ["OK"]
            serving = "+QENG: 0,234,15,01f4,2a3b,81,63,-69,147,147,5,5,x,x,x,x,x,x,x"
            said = await client.ask("AT+QENG?")
            assert said[:2] == ["+QENG: 1,1", serving]
            assert said[2].startswith("+QENG: 1,1,")
            assert len(said[2].split(",")) == 1 + 6 * 10

    run(scenario())


@pytest.mark.parametrize(
    "command", ["AT+CIPSTART=0,1", "AT+NETOPEN", "AT+SAPBR=2,1", "AT+QCSQ", "AT+CEREG?", "AT+QIGETERROR"]
)
def test_is_what_other_families_have_an_error(command: str) -> None:
    async def scenario() -> None:
        async with switched_on(personality=M95) as (_, client):
            assert await client.ask(command) == ["ERROR"]

    run(scenario())
