"""Does SIM7080 implement AT+CAOPEN as in its application note, and fail as in its tables?"""

import asyncio

import pytest

from hil_tests.sim.modem.personality import SIM7080G
from tests.hil_tests.sim.modem.client import Client, press, switched_on
from tests.hil_tests.sim.modem.server import NASTY, serving
from tests.hil_tests.sim.modem.virtual_time import run

BRING_UP_S = 2
NETWORK_GONE_S = 70


async def activate(client: Client) -> None:
    assert await client.ask('AT+CNCFG=0,1,"internet"') == ["OK"]
    assert await client.ask("AT+CNACT=0,1", BRING_UP_S) == ["OK", "+APP PDP: 0,ACTIVE"]


async def connect(client: Client, port: int, mode: int = 0) -> list[str]:
    return await client.ask(f'AT+CAOPEN=0,0,"TCP","localhost",{port},{mode}', BRING_UP_S)


async def send(client: Client, payload: bytes) -> list[str]:
    assert await client.ask(f"AT+CASEND=0,{len(payload)}") == [">"]
    client.write(payload)
    return await client.lines(0.01)


def test_does_one_connection_run_from_start_to_end() -> None:
    """The result before OK, the payload in the line of its header, with bytes that look like replies?"""

    async def scenario() -> None:
        async with switched_on(personality=SIM7080G) as (_, client), serving() as (server, port):
            await activate(client)
            assert (await client.ask("AT+CNACT?"))[:2] == ['+CNACT: 0,1,"10.64.3.1"', '+CNACT: 1,0,"0.0.0.0"']
            assert await connect(client, port) == ["+CAOPEN: 0,0", "OK"]
            assert await client.ask("AT+CAOPEN?") == [f'+CAOPEN: 0,0,"TCP","localhost",{port}', "OK"]
            assert await client.ask("AT+CASEND=0") == ["+CASEND: 5840", "OK"]
            assert await send(client, NASTY) == ["OK"]
            await asyncio.sleep(1)
            assert bytes(server.received) == NASTY
            assert await client.ask("AT+CAACK=0") == [f"+CAACK: {len(NASTY)},0", "OK"]
            server.writers[0].write(b"*SET,55")
            assert await client.lines(1) == ["+CADATAIND: 0"]
            assert await client.ask("AT+CARECV?") == ["+CARECV: 0,7", "OK"]
            client.write(b"AT+CARECV=0,100\r")
            await client.sleep(0.1)
            assert client.read() == b"\r\n+CARECV: 7,*SET,55\r\n\r\nOK\r\n"
            assert await client.ask("AT+CARECV=0,100") == ["+CARECV: 0", "OK"]
            assert await client.ask("AT+CASTATE?") == ["+CASTATE: 0,1", "OK"]
            assert await client.ask("AT+CACLOSE=0") == ["OK"]
            assert await client.ask("AT+CACLOSE=0") == ["ERROR"]
            assert await client.ask("AT+CNACT=0,0", 1) == ["OK", "+APP PDP: 0,DEACTIVE"]
            assert server.ended

    run(scenario())


def test_does_each_wrong_step_have_its_result() -> None:
    async def scenario() -> None:
        async with switched_on(personality=SIM7080G) as (modem, client), serving() as (_, port):
            assert await connect(client, port) == ["+CAOPEN: 0,21", "OK"]
            modem.world.set_service("23415", "no data")
            assert await client.ask("AT+CNACT=0,1", BRING_UP_S) == ["OK", "+APP PDP: 0,DEACTIVE"]
            modem.world.set_service("23415", "accept")
            assert await client.ask("AT+CNACT=0,1", 0.1) == ["OK"]
            assert await client.ask("AT+CNACT=0,1", BRING_UP_S) == ["ERROR", "+APP PDP: 0,ACTIVE"]
            for command in ("AT+CASEND=0,1", "AT+CARECV=0,1", "AT+CAACK=0", "AT+CNACT=0,1", "AT+CNACT=4,1"):
                assert await client.ask(command) == ["ERROR"], command
            assert await client.ask('AT+CAOPEN=0,0,"TCP","no.such.host",80', BRING_UP_S) == ["+CAOPEN: 0,20", "OK"]
            assert await connect(client, port) == ["+CAOPEN: 0,4", "OK"]  # in use until it is closed
            assert await client.ask("AT+CACLOSE=0") == ["OK"]
            assert await connect(client, 1) == ["+CAOPEN: 0,23", "OK"]
            await client.ask("AT+CACLOSE=0")
            assert await connect(client, port) == ["+CAOPEN: 0,0", "OK"]
            assert await client.ask("AT+CASEND=0,1460") == ["ERROR"]

    run(scenario())


def test_does_it_lose_connections_as_the_far_side_and_the_network_do() -> None:
    """+CASTATE with the rest still to be read; +APP PDP, the link gone with its context?"""

    async def scenario() -> None:
        async with switched_on(personality=SIM7080G) as (modem, client), serving() as (server, port):
            await activate(client)
            await connect(client, port)
            server.writers[0].write(b"last words")
            server.writers[0].close()
            assert await client.lines(1) == ["+CADATAIND: 0", "+CASTATE: 0,0"]
            assert await client.ask("AT+CASEND=0,1") == ["ERROR"]
            assert await client.ask("AT+CARECV=0,100") == ["+CARECV: 10,last words", "OK"]
            await client.ask("AT+CACLOSE=0")
            assert await connect(client, port) == ["+CAOPEN: 0,0", "OK"]
            modem.world.set_coverage(False)
            assert await client.lines(NETWORK_GONE_S) == ["+APP PDP: 0,DEACTIVE"]
            assert await client.ask("AT+CASTATE?") == ["OK"]
            modem.world.set_coverage(True)
            await client.sleep(10)
            await activate(client)
            assert await connect(client, port) == ["+CAOPEN: 0,0", "OK"]

    run(scenario())


def test_does_data_come_at_once_where_it_was_asked_for() -> None:
    async def scenario() -> None:
        async with switched_on(personality=SIM7080G) as (_, client), serving() as (server, port):
            await activate(client)
            await connect(client, port, mode=1)
            client.read()
            server.writers[0].write(b"hello")
            await client.sleep(1)
            assert client.read() == f'\r\n+CAURC: "recv",0,5,"localhost",{port}\r\nhello'.encode()

    run(scenario())


def test_does_a_full_send_buffer_refuse_and_take_nothing() -> None:
    async def scenario() -> None:
        async with switched_on(personality=SIM7080G) as (modem, client), serving() as (server, port):
            await activate(client)
            await connect(client, port)
            modem.world.set_coverage(False)
            said = [await send(client, bytes(1459)) for _ in range(5)]
            assert said == 4 * [["OK"]] + [["ERROR"]]
            modem.world.set_coverage(True)
            await client.sleep(10)
            assert len(server.received) == 4 * 1459

    run(scenario())


def test_are_boot_signal_and_dial_its_own() -> None:
    async def scenario() -> None:
        async with switched_on(booted=False, personality=SIM7080G) as (modem, client):
            assert await client.lines(8) == ["RDY", "+CFUN: 1", "+CPIN: READY", "SMS Ready"]
            await client.ask("ATE0")
            place = "0x01F4,10811,46,EUTRAN-BAND20,6300,3,3"
            said = await client.ask("AT+CPSI?")
            assert said == [f"+CPSI: LTE CAT-M1,Online,234-15,{place},-11,-96,-69,17", "OK"]
            client.write(b"ATD*99#\r")
            await client.sleep(BRING_UP_S)
            assert client.read().startswith(b"\r\nCONNECT 150000000\r\n~")
            await press(modem, 1.1)
            assert modem.running
            await press(modem, 1.3)
            assert not modem.running

    run(scenario())


@pytest.mark.parametrize("command", ["AT+CACID=0", "AT+CASSLCFG=0,SSL,0", "AT+CGNAPN"])
def test_is_what_clients_send_on_the_way_accepted(command: str) -> None:
    async def scenario() -> None:
        async with switched_on(personality=SIM7080G) as (_, client):
            assert (await client.ask(command))[-1] == "OK"

    run(scenario())


@pytest.mark.parametrize(
    "command",
    [
        *(
            "AT+CIPSTART=0,1",
            "AT+CIPMUX?",
            "AT+CIPMUX=1",
            "AT+CIICR",
            "AT+CIFSR",
            "AT+CIPSTATUS",
            "AT+CIPSHUT",
            "AT+CSTT=1",
        ),
        *("AT+CIPRXGET=1", "AT+CIPQSEND=1", "AT+CIPACK=0", "AT+NETOPEN", "AT+SAPBR=2,1", "AT+QIACT=1", "AT+CNETSCAN"),
    ],
)
def test_is_what_other_families_have_an_error(command: str) -> None:
    async def scenario() -> None:
        async with switched_on(personality=SIM7080G) as (_, client):
            assert await client.ask(command) == ["ERROR"]

    run(scenario())
