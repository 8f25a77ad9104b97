"""Do EC21 and BG95 implement AT+QIOPEN as in the application notes' examples, and fail as in their tables?"""

import asyncio
import re

import pytest

from hil_tests.sim.modem.personality import BG95, EC21, Personality
from tests.hil_tests.sim.modem.client import Client, press, switched_on
from tests.hil_tests.sim.modem.server import NASTY, serving
from tests.hil_tests.sim.modem.virtual_time import run

FAMILY = pytest.mark.parametrize("kind", [EC21, BG95], ids=["EC21", "BG95"])
BRING_UP_S = 2
NETWORK_GONE_S = 70


async def activate(client: Client) -> None:
    assert await client.ask('AT+QICSGP=1,1,"internet","","",1') == ["OK"]
    assert await client.ask("AT+QIACT=1", BRING_UP_S) == ["OK"]


async def connect(client: Client, port: int, access_mode: int = 0) -> list[str]:
    return await client.ask(f'AT+QIOPEN=1,0,"TCP","localhost",{port},0,{access_mode}', BRING_UP_S)


async def send(client: Client, payload: bytes) -> list[str]:
    assert await client.ask(f"AT+QISEND=0,{len(payload)}") == ["> "]
    client.write(payload)
    return await client.lines(0.01)


async def last_error(client: Client) -> str:
    return (await client.ask("AT+QIGETERROR"))[0].removeprefix("+QIGETERROR: ")


@FAMILY
def test_does_the_example_of_buffer_access_mode_run(kind: Personality) -> None:
    """Configured, activated, opened, sent, read and closed, with bytes that look like replies?"""

    async def scenario() -> None:
        async with switched_on(personality=kind) as (_, client), serving() as (server, port):
            await activate(client)
            assert await client.ask("AT+QICSGP=1") == ['+QICSGP: 1,"internet","","",1', "OK"]
            assert await client.ask("AT+QIACT?") == ['+QIACT: 1,1,1,"10.64.2.1"', "OK"]
            assert await connect(client, port) == ["OK", "+QIOPEN: 0,0"]
            state = (await client.ask("AT+QISTATE=1,0"))[0]
            assert re.fullmatch(rf'\+QISTATE: 0,"TCP","localhost",{port},\d+,2,1,0,0,"uart1"', state)
            assert await send(client, NASTY) == ["SEND OK"]
            await asyncio.sleep(1)
            assert bytes(server.received) == NASTY
            assert await client.ask("AT+QISEND=0,0") == [f"+QISEND: {len(NASTY)},{len(NASTY)},0", "OK"]
            server.writers[0].write(b"test1 test2")
            assert await client.lines(1) == ['+QIURC: "recv",0']
            assert await client.ask("AT+QIRD=0,0") == ["+QIRD: 11,0,11", "OK"]
            client.write(b"AT+QIRD=0,5\r")
            await client.sleep(0.1)
            assert client.read() == b"\r\n+QIRD: 5\r\ntest1\r\n\r\nOK\r\n"
            server.writers[0].write(b"!")
            assert await client.lines(1) == []  # no further URC before all has been read
            assert await client.ask("AT+QIRD=0,1500") == ["+QIRD: 7", " test2!", "OK"]
            assert await client.ask("AT+QIRD=0,1500") == ["+QIRD: 0", "OK"]
            server.writers[0].write(b"?")
            assert await client.lines(1) == ['+QIURC: "recv",0']
            assert await client.ask("AT+QICLOSE=0", 1) == ["OK"]
            assert await client.ask("AT+QISTATE") == ["OK"]
            assert await client.ask("AT+QIDEACT=1", 1) == ["OK"]
            assert await client.ask("AT+QIACT?") == ["OK"]
            assert server.ended

    run(scenario())


def test_does_direct_push_hand_data_over_at_once() -> None:
    async def scenario() -> None:
        async with switched_on(personality=EC21) as (_, client), serving() as (server, port):
            await activate(client)
            assert await connect(client, port, access_mode=1) == ["OK", "+QIOPEN: 0,0"]
            client.read()
            server.writers[0].write(b"test1")
            await client.sleep(1)
            assert client.read() == b'\r\n+QIURC: "recv",0,5\r\ntest1'

    run(scenario())


def test_does_each_wrong_step_have_its_error() -> None:
    async def scenario() -> None:
        async with switched_on(personality=EC21) as (modem, client), serving() as (_, port):
            assert await connect(client, port) == ["OK", "+QIOPEN: 0,561"]
            modem.world.set_service("23415", "no data")
            assert await client.ask("AT+QIACT=1", BRING_UP_S) == ["ERROR"]
            assert await last_error(client) == "561,open PDP context failed"
            modem.world.set_service("23415", "accept")
            await activate(client)
            assert await client.ask("AT+QIACT=1") == ["ERROR"]
            assert await last_error(client) == "572,operation not allowed"
            for command in ("AT+QISEND=0,1", "AT+QIRD=0,1500"):
                assert await client.ask(command) == ["ERROR"]
                assert await last_error(client) == "567,socket has been closed"
            assert await client.ask("AT+QIRD=12") == ["ERROR"]
            assert await last_error(client) == "552,invalid parameters"
            assert await connect(client, port) == ["OK", "+QIOPEN: 0,0"]
            assert await connect(client, port) == ["OK", "+QIOPEN: 0,563"]
            assert await client.ask("AT+QISEND=0,1461") == ["ERROR"]

    run(scenario())


@pytest.mark.parametrize(
    ("host", "port", "error"), [("no.such.host", 80, 565), ("localhost", 1, 566)], ids=["host", "port"]
)
def test_does_a_failed_attempt_keep_its_link_until_it_is_closed(host: str, port: int, error: int) -> None:
    async def scenario() -> None:
        async with switched_on(personality=BG95) as (_, client):
            await activate(client)
            asked = f'AT+QIOPEN=1,0,"TCP","{host}",{port},0,0'
            assert await client.ask(asked, BRING_UP_S) == ["OK", f"+QIOPEN: 0,{error}"]
            assert await client.ask(asked, BRING_UP_S) == ["OK", "+QIOPEN: 0,563"]
            assert await client.ask("AT+QICLOSE=0", 1) == ["OK"]
            assert await client.ask(asked, BRING_UP_S) == ["OK", f"+QIOPEN: 0,{error}"]

    run(scenario())


def test_is_a_host_that_never_answers_a_time_out() -> None:
    """+QIOPEN with 569, 150 s after OK?"""

    async def scenario() -> None:
        async with switched_on(personality=EC21) as (modem, client), serving() as (_, port):
            await activate(client)
            modem.world.set_service("23415", "black hole")
            assert await client.ask(f'AT+QIOPEN=1,0,"TCP","localhost",{port},0,0', 140) == ["OK"]
            assert await client.lines(20) == ["+QIOPEN: 0,569"]

    run(scenario())


def test_is_what_came_before_the_far_side_closed_still_read() -> None:
    """The URC, state 4, the bytes there until AT+QICLOSE, and only then the link free?"""

    async def scenario() -> None:
        async with switched_on(personality=EC21) as (_, client), serving() as (server, port):
            await activate(client)
            await connect(client, port)
            server.writers[0].write(b"last words")
            server.writers[0].close()
            assert await client.lines(1) == ['+QIURC: "recv",0', '+QIURC: "closed",0']
            assert ",4,1,0,0," in (await client.ask("AT+QISTATE=1,0"))[0]
            assert await client.ask("AT+QISEND=0,1") == ["ERROR"]
            assert await client.ask("AT+QIRD=0,1500") == ["+QIRD: 10", "last words", "OK"]
            assert await connect(client, port) == ["OK", "+QIOPEN: 0,563"]
            assert await client.ask("AT+QICLOSE=0", 1) == ["OK"]
            assert await connect(client, port) == ["OK", "+QIOPEN: 0,0"]

    run(scenario())


@FAMILY
def test_is_a_context_that_the_network_took_to_be_deactivated_first(kind: Personality) -> None:
    async def scenario() -> None:
        async with switched_on(personality=kind) as (modem, client), serving() as (server, port):
            await activate(client)
            await connect(client, port)
            modem.world.set_coverage(False)
            assert await client.lines(NETWORK_GONE_S) == ['+QIURC: "pdpdeact",1']
            assert not server.ended
            modem.world.set_coverage(True)
            await client.sleep(10)
            assert await client.ask("AT+QIACT?") == ["OK"]
            assert await client.ask("AT+QIACT=1") == ["ERROR"]
            assert await connect(client, port) == ["OK", "+QIOPEN: 0,561"]
            assert await client.ask("AT+QIDEACT=1", 1) == ["OK"]
            await activate(client)
            assert await connect(client, port) == ["OK", "+QIOPEN: 0,0"]

    run(scenario())


def test_is_a_full_send_buffer_send_fail_and_nothing_taken() -> None:
    async def scenario() -> None:
        async with switched_on(personality=EC21) as (modem, client), serving() as (server, port):
            await activate(client)
            await connect(client, port)
            modem.world.set_coverage(False)
            said = [await send(client, bytes(1460)) for _ in range(5)]
            assert said == 4 * [["SEND OK"]] + [["SEND FAIL"]]
            assert await client.ask("AT+QISEND=0,0") == ["+QISEND: 5840,0,5840", "OK"]
            modem.world.set_coverage(True)
            await client.sleep(10)
            assert len(server.received) == 5840
            assert await send(client, bytes(1460)) == ["SEND OK"]

    run(scenario())


@pytest.mark.parametrize(
    ("kind", "first_s", "words"),
    [
        (EC21, 10, ["RDY", "+CPIN: READY", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE", "+QIND: PB DONE"]),
        (BG95, 2.1, ["RDY", "APP RDY", "+CPIN: READY", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE"]),
    ],
    ids=["EC21", "BG95"],
)
def test_are_the_words_of_a_boot_its_own(kind: Personality, first_s: float, words: list[str]) -> None:
    async def scenario() -> None:
        async with switched_on(booted=False, personality=kind) as (modem, client):
            assert await client.lines(first_s - 0.1) == []
            assert await client.lines(8) == words
            await press(modem, 0.6)
            assert modem.running
            await press(modem, 0.7)
            assert not modem.running

    run(scenario())


def test_does_it_leave_the_network_before_it_goes_off() -> None:
    """OK, then POWERED DOWN, then silence?"""

    async def scenario() -> None:
        async with switched_on(personality=EC21) as (modem, client):
            assert await client.ask("AT+QPOWD=1", 0.2) == ["OK"]
            assert await client.lines(1) == ["POWERED DOWN"]
            assert not modem.running

    run(scenario())


def test_do_the_figures_of_the_signal_agree() -> None:
    """+QCSQ and +QNWINFO by technology, beside AT+CSQ?"""

    async def scenario() -> None:
        async with switched_on(personality=EC21) as (modem, client):
            assert await client.ask("AT+CSQ") == ["+CSQ: 22,99", "OK"]
            assert await client.ask("AT+QCSQ") == ['+QCSQ: "LTE",-69,-96,185,-11', "OK"]
            assert await client.ask("AT+QNWINFO") == ['+QNWINFO: "FDD LTE","23415","LTE BAND 20",6300', "OK"]
            assert await client.ask("AT+CEREG=2;+CEREG?") == ['+CEREG: 2,5,"01F4","2A3B",7', "OK"]
            modem.world.set_coverage(False)
            await client.sleep(5)
            assert await client.ask("AT+QCSQ") == ['+QCSQ: "NOSERVICE"', "OK"]
            assert await client.ask("AT+QNWINFO") == ["+QNWINFO: No Service", "OK"]
        async with switched_on(personality=BG95) as (_, client):
            assert await client.ask("AT+QCSQ") == ['+QCSQ: "eMTC",-69,-96,185,-11', "OK"]
            assert await client.ask("AT+QNWINFO") == ['+QNWINFO: "eMTC","23415","LTE BAND 20",6300', "OK"]

    run(scenario())


def test_does_it_say_who_it_is() -> None:
    async def scenario() -> None:
        async with switched_on(personality=EC21) as (_, client):
            assert await client.ask("AT+CGMI") == ["Quectel", "OK"]
            assert await client.ask("AT+CGMM") == ["EC21", "OK"]
            assert await client.ask("ATI") == ["Quectel", "EC21", "Revision: EC21EFAR06A03M4G", "OK"]
            assert await client.ask("AT+QCCID") == ["+QCCID: 8944501012199900017F", "OK"]
            assert await client.ask("AT+QPINC?") == ['+QPINC: "SC",3,10', '+QPINC: "P2",3,10', "OK"]
            clock, _ = await client.ask("AT+CCLK?")
            assert re.fullmatch(r'\+CCLK: "80/01/06,00:00:\d\d\+00"', clock)

    run(scenario())


@pytest.mark.parametrize(
    "command", ["AT+CIPSTART=0,1", "AT+NETOPEN", "AT+SAPBR=2,1", "AT+CLTS=1", "AT+CPSI?", "AT+CESQ"]
)
def test_is_what_other_families_have_an_error(command: str) -> None:
    async def scenario() -> None:
        async with switched_on(personality=EC21) as (_, client):
            assert await client.ask(command) == ["ERROR"]

    run(scenario())
