"""Do SIM7600 and A7670 implement AT+NETOPEN as in the application note's examples, and fail as in its tables?"""

import asyncio
import re

import pytest

from hil_tests.sim.modem.personality import A7670E, SIM7600E, Personality
from tests.hil_tests.sim.modem.client import Client, press, switched_on
from tests.hil_tests.sim.modem.server import NASTY, serving
from tests.hil_tests.sim.modem.virtual_time import run

FAMILY = pytest.mark.parametrize("kind", [SIM7600E, A7670E], ids=["SIM7600E", "A7670E"])
BRING_UP_S = 2
NETWORK_GONE_S = 70


async def open_network(client: Client) -> None:
    assert await client.ask('AT+CGDCONT=1,"IP","internet"') == ["OK"]
    assert await client.ask("AT+NETOPEN", BRING_UP_S) == ["OK", "+NETOPEN: 0"]


async def connect(client: Client, port: int, link: int = 0) -> None:
    asked = f'AT+CIPOPEN={link},"TCP","localhost",{port}'
    assert await client.ask(asked, BRING_UP_S) == ["OK", f"+CIPOPEN: {link},0"]


async def send(client: Client, payload: bytes, link: int = 0) -> list[str]:
    assert await client.ask(f"AT+CIPSEND={link},{len(payload)}") == [">"]
    client.write(payload)
    return await client.lines(0.01)


@FAMILY
def test_does_the_example_of_buffer_access_mode_run(kind: Personality) -> None:
    """Section 3.2.2 of the application note, line by line, with bytes that look like replies?"""

    async def scenario() -> None:
        async with switched_on(personality=kind) as (_, client), serving() as (server, port):
            await open_network(client)
            assert await client.ask("AT+IPADDR") == ["+IPADDR: 10.64.0.17", "OK"]
            assert await client.ask("AT+CIPRXGET=1") == ["OK"]
            await connect(client, port, 1)
            assert await send(client, NASTY, 1) == ["OK", f"+CIPSEND: 1,{len(NASTY)},{len(NASTY)}"]
            await asyncio.sleep(1)
            assert bytes(server.received) == NASTY
            server.writers[0].write(b"data from server")
            assert await client.lines(1) == ["+CIPRXGET: 1,1"]
            assert await client.ask("AT+CIPRXGET=4,1") == ["+CIPRXGET: 4,1,16", "OK"]
            client.write(b"AT+CIPRXGET=2,1,5\r")
            await client.sleep(0.1)
            assert client.read() == b"\r\n+CIPRXGET: 2,1,5,11\r\ndata \r\n\r\nOK\r\n"
            assert await client.ask("AT+CIPRXGET=3,1,5") == ["+CIPRXGET: 3,1,5,6", "66726F6D20", "OK"]
            assert await client.ask("AT+CIPRXGET=2,1") == ["+CIPRXGET: 2,1,6,0", "server", "OK"]
            assert await client.ask("AT+CIPRXGET=4,1") == ["+CIPRXGET: 4,1,0", "OK"]
            assert await client.ask("AT+CIPRXGET=2,1") == ["+IP ERROR: No data", "ERROR"]
            assert await client.ask("AT+CIPRXGET=2,2") == ["+IP ERROR: No data", "ERROR"]
            assert await client.ask("AT+CIPACK=1") == [f"+CIPACK: {len(NASTY)},{len(NASTY)},16", "OK"]
            assert await client.ask("AT+CIPCLOSE=1") == ["OK", "+CIPCLOSE: 1,0"]
            assert await client.ask("AT+NETCLOSE", 1) == ["OK", "+NETCLOSE: 0"]
            assert await client.ask("AT+IPADDR") == ["+IP ERROR: Network not opened", "ERROR"]
            assert server.ended

    run(scenario())


def test_is_direct_push_the_way_of_reading_until_another_is_chosen() -> None:
    """Section 3.2.1: a header with the address, one with the length, then the bytes?"""

    async def scenario() -> None:
        async with switched_on(personality=A7670E) as (_, client), serving() as (server, port):
            await open_network(client)
            await connect(client, port)
            client.read()
            server.writers[0].write(b"data from server")
            await client.sleep(1)
            assert client.read() == f"\r\nRECV FROM:localhost:{port}\r\n+IPD16\r\ndata from server".encode()

    run(scenario())


def test_do_the_lists_show_what_is_open() -> None:
    """Section 3.4.3?"""

    async def scenario() -> None:
        async with switched_on(personality=A7670E) as (_, client), serving() as (_, port):
            await open_network(client)
            await connect(client, port, 1)
            rows = await client.ask("AT+CIPOPEN?")
            assert rows[:3] == ["+CIPOPEN: 0", f'+CIPOPEN: 1,"TCP","localhost",{port},-1', "+CIPOPEN: 2"]
            assert rows[-2:] == ["+CIPOPEN: 9", "OK"]
            assert await client.ask("AT+CIPCLOSE?") == ["+CIPCLOSE: 0,1,0,0,0,0,0,0,0,0", "OK"]

    run(scenario())


def test_does_each_wrong_step_have_its_error() -> None:
    async def scenario() -> None:
        async with switched_on(personality=SIM7600E) as (modem, client), serving() as (_, port):
            asked = f'AT+CIPOPEN=0,"TCP","localhost",{port}'
            assert await client.ask("AT+NETOPEN?") == ["+NETOPEN: 0", "OK"]
            assert await client.ask(asked) == ["+CIPOPEN: 0,2", "ERROR"]
            assert await client.ask("AT+CIPSEND=0,1") == ["+CIPERROR: 2", "ERROR"]
            assert await client.ask("AT+CIPCLOSE=0") == ["+CIPCLOSE: 0,2", "ERROR"]
            assert await client.ask("AT+NETCLOSE") == ["+NETCLOSE: 2", "ERROR"]
            modem.world.set_service("23415", "no data")
            assert await client.ask("AT+NETOPEN", BRING_UP_S) == ["OK", "+NETOPEN: 1"]
            modem.world.set_service("23415", "accept")
            await open_network(client)
            assert await client.ask("AT+NETOPEN") == ["+IP ERROR: Network is already opened", "ERROR"]
            assert await client.ask("AT+NETOPEN?") == ["+NETOPEN: 1", "OK"]
            assert await client.ask("AT+CIPSEND=0,1") == ["+CIPERROR: 4", "ERROR"]
            assert await client.ask("AT+CIPCLOSE=0") == ["+CIPCLOSE: 0,4", "ERROR"]
            assert await client.ask('AT+CIPOPEN=0,"TCP","no.such.host",80', BRING_UP_S) == ["OK", "+CIPOPEN: 0,11"]
            assert await client.ask('AT+CIPOPEN=0,"TCP","localhost",1', BRING_UP_S) == ["OK", "+CIPOPEN: 0,5"]
            for wrong in ('10,"TCP","localhost",80', '0,"TCP","localhost",70000', '0,"TCP","localhost"'):
                assert await client.ask(f"AT+CIPOPEN={wrong}") == ["ERROR"]
            await connect(client, port)
            assert await client.ask(asked) == ["+CIPOPEN: 0,4", "ERROR"]
            assert await client.ask("AT+CIPSEND=0,1501") == ["ERROR"]

    run(scenario())


def test_is_a_host_that_never_answers_a_time_out() -> None:
    """+CIPOPEN with <err> 10, two minutes after OK?"""

    async def scenario() -> None:
        async with switched_on(personality=A7670E) as (modem, client), serving() as (_, port):
            await open_network(client)
            modem.world.set_service("23415", "black hole")
            assert await client.ask(f'AT+CIPOPEN=0,"TCP","localhost",{port}', 100) == ["OK"]
            assert await client.lines(30) == ["+CIPOPEN: 0,10"]

    run(scenario())


def test_is_what_came_before_the_far_side_closed_still_read() -> None:
    """+IPCLOSE with reason 1, the bytes there until the link is opened again, and nothing can be sent?"""

    async def scenario() -> None:
        async with switched_on(personality=SIM7600E) as (_, client), serving() as (server, port):
            await open_network(client)
            await client.ask("AT+CIPRXGET=1")
            await connect(client, port)
            server.writers[0].write(b"last words")
            server.writers[0].close()
            assert await client.lines(1) == ["+CIPRXGET: 1,0", "+IPCLOSE: 0,1"]
            assert await client.ask("AT+CIPSEND=0,1") == ["+CIPERROR: 4", "ERROR"]
            assert await client.ask("AT+CIPRXGET=2,0") == ["+CIPRXGET: 2,0,10,0", "last words", "OK"]
            await connect(client, port)

    run(scenario())


@FAMILY
def test_is_a_network_that_went_away_to_be_closed_first(kind: Personality) -> None:
    """Section 4.2: the URC, "still opened" until AT+NETCLOSE, then all from the start?"""

    async def scenario() -> None:
        async with switched_on(personality=kind) as (modem, client), serving() as (server, port):
            await open_network(client)
            await connect(client, port)
            modem.world.set_coverage(False)
            assert await client.lines(NETWORK_GONE_S) == ["+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"]
            assert not server.ended
            modem.world.set_coverage(True)
            await client.sleep(10)
            assert await client.ask("AT+NETOPEN?") == ["+NETOPEN: 1", "OK"]
            assert await client.ask("AT+NETOPEN") == ["+IP ERROR: Network is already opened", "ERROR"]
            assert await client.ask(f'AT+CIPOPEN=0,"TCP","localhost",{port}') == ["+CIPOPEN: 0,2", "ERROR"]
            assert await client.ask("AT+NETCLOSE", 1) == ["OK", "+NETCLOSE: 0"]
            await open_network(client)
            await connect(client, port)

    run(scenario())


def test_does_a_full_send_buffer_take_a_part() -> None:
    """<cnfSendLength> less than asked, 0 in the end, without coverage?"""

    async def scenario() -> None:
        async with switched_on(personality=SIM7600E) as (modem, client), serving() as (_, port):
            await open_network(client)
            await connect(client, port)
            modem.world.set_coverage(False)
            said = [await send(client, bytes(1460)) for _ in range(5)]
            assert said == 4 * [["OK", "+CIPSEND: 0,1460,1460"]] + [["OK", "+CIPSEND: 0,1460,0"]]

    run(scenario())


@pytest.mark.parametrize(
    ("kind", "first_s", "words"),
    [
        (SIM7600E, 11, ["RDY", "+CPIN: READY", "SMS DONE", "PB DONE"]),
        (A7670E, 7, ["*ATREADY: 1", "+CPIN: READY", "SMS DONE", "PB DONE"]),
    ],
    ids=["SIM7600E", "A7670E"],
)
def test_are_the_words_of_a_boot_its_own(kind: Personality, first_s: int, words: list[str]) -> None:
    """Nothing before the UART is active, and PWRKEY has to be held longer to switch off than on?"""

    async def scenario() -> None:
        async with switched_on(booted=False, personality=kind) as (modem, client):
            assert await client.lines(first_s - 0.1) == []
            assert await client.lines(7) == words
            await press(modem, 1.1)
            assert modem.running
            await press(modem, 2.6)
            assert not modem.running
            await client.sleep(2)
            await press(modem, 0.2)
            assert modem.running

    run(scenario())


def test_is_the_clock_before_the_network_told_the_time_the_maker_s_own() -> None:
    """70/01/01 and 80/01/06, counting from power-on, the latter without a zone; the right time with AT+CTZU=1?"""

    async def scenario() -> None:
        async with switched_on(personality=A7670E) as (_, client):
            clock, _ = await client.ask("AT+CCLK?")
            assert re.fullmatch(r'\+CCLK: "70/01/01,00:00:\d\d\+00"', clock)
        async with switched_on(personality=SIM7600E) as (modem, client):
            clock, _ = await client.ask("AT+CCLK?")
            assert re.fullmatch(r'\+CCLK: "80/01/06,00:00:\d\d"', clock)
            assert await client.ask("AT+CTZU=1;&W") == ["OK"]
            modem.brown_out()
            await client.sleep(20)
            assert await client.ask("AT+CTZU?") == ["+CTZU: 1", "OK"]
            assert re.fullmatch(r'\+CCLK: "[2-6]\d/.*\+0[04]"', (await client.ask("AT+CCLK?"))[0])

    run(scenario())


def test_do_the_figures_of_the_signal_agree() -> None:
    """CSQ 22 is an RSSI of -69 dBm; +CPSI in tenths, +CESQ as 27.007 counts; nothing without coverage?"""

    async def scenario() -> None:
        async with switched_on(personality=SIM7600E) as (modem, client):
            assert await client.ask("AT+CICCID") == ["+ICCID: 8944501012199900017F", "OK"]
            assert await client.ask("AT+CSQ") == ["+CSQ: 22,99", "OK"]
            place = "0x01F4,10811,46,EUTRAN-BAND20,6300,3,3"
            assert await client.ask("AT+CPSI?") == [f"+CPSI: LTE,Online,234-15,{place},-110,-960,-690,17", "OK"]
            assert await client.ask("AT+CESQ") == ["+CESQ: 99,99,255,255,18,45", "OK"]
            assert await client.ask("AT+CEREG=2;+CEREG?") == ['+CEREG: 2,5,"01F4","2A3B",7', "OK"]
            modem.world.set_coverage(False)
            await client.sleep(5)
            assert await client.ask("AT+CPSI?") == ["+CPSI: NO SERVICE,Online", "OK"]
            assert await client.ask("AT+CESQ") == ["+CESQ: 99,99,255,255,255,255", "OK"]
            assert await client.ask("AT+CSQ") == ["+CSQ: 99,99", "OK"]

    run(scenario())


@pytest.mark.parametrize(
    "command", ["AT+CIPSTART=0,1", "AT+CIICR", "AT+SAPBR=2,1", "AT+CLTS=1", "AT+CNETSCAN", "AT+QIACT=1"]
)
def test_is_what_other_families_have_an_error(command: str) -> None:
    async def scenario() -> None:
        async with switched_on(personality=SIM7600E) as (_, client):
            assert await client.ask(command) == ["ERROR"]

    run(scenario())


def test_does_it_go_off_and_restart_by_command() -> None:
    async def scenario() -> None:
        async with switched_on(personality=A7670E) as (modem, client):
            assert await client.ask("AT+CRESET", 9) == ["OK", "*ATREADY: 1", "+CPIN: READY"]
            await client.sleep(5)
            assert "OK" in await client.ask("AT+CPOF", 1)
            assert not modem.running

    run(scenario())
