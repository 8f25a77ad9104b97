"""Does the simulated modem's TCP transport bytes unchanged, and lose a connection as real ones do?"""

import asyncio

from tests.hil_tests.sim.modem.client import Client, switched_on
from tests.hil_tests.sim.modem.server import NASTY, serving
from tests.hil_tests.sim.modem.virtual_time import run

BRING_UP_S = 2


async def connect(client: Client, port: int, settings: str = "AT+CIPMUX=1;+CIPQSEND=1;+CIPRXGET=1") -> list[str]:
    """Connect, from IP INITIAL to an open connection."""
    await client.ask(settings)
    await client.ask('AT+CSTT="internet"')
    assert await client.ask("AT+CIICR", BRING_UP_S) == ["OK"]
    assert await client.ask("AT+CIFSR") == ["10.64.0.17"]
    link = "0," if "CIPMUX=1" in settings else ""
    return await client.ask(f'AT+CIPSTART={link}"TCP","localhost",{port}', BRING_UP_S)


async def send(client: Client, payload: bytes) -> list[str]:
    """Send one AT+CIPSEND on link 0."""
    assert await client.ask(f"AT+CIPSEND=0,{len(payload)}") == ["> "]
    client.write(payload)
    return await client.lines(0.01)


def test_do_nasty_bytes_pass_both_ways() -> None:
    """Payload that looks like the modem's own words, up and down, unharmed?"""

    async def scenario() -> None:
        async with switched_on() as (_, client), serving() as (server, port):
            assert await connect(client, port) == ["OK", "0, CONNECT OK"]
            assert await send(client, NASTY) == [f"DATA ACCEPT:0,{len(NASTY)}"]
            await asyncio.sleep(1)
            assert bytes(server.received) == NASTY
            server.writers[0].write(NASTY)
            assert await client.lines(1) == ["+CIPRXGET: 1,0"]
            client.write(b"AT+CIPRXGET=2,0,1460\r")
            await asyncio.sleep(0.1)
            expected = b"\r\n+CIPRXGET: 2,0,%d,0\r\n" % len(NASTY) + NASTY + b"\r\nOK\r\n"
            assert client.read() == expected

    run(scenario())


def test_are_waiting_bytes_announced_once_until_read() -> None:
    """A second segment before the first was read says nothing; after a read it is said again?"""

    async def scenario() -> None:
        async with switched_on() as (_, client), serving() as (server, port):
            await connect(client, port)
            server.writers[0].write(b"one")
            assert await client.lines(1) == ["+CIPRXGET: 1,0"]
            server.writers[0].write(b"two")
            assert await client.lines(1) == []
            assert await client.ask("AT+CIPRXGET=4,0") == ["+CIPRXGET: 4,0,6", "OK"]
            assert await client.ask("AT+CIPRXGET=2,0,4") == ["+CIPRXGET: 2,0,4,2", "onet", "OK"]
            server.writers[0].write(b"three")
            assert await client.lines(1) == ["+CIPRXGET: 1,0"]

    run(scenario())


def test_is_a_closed_connection_an_error_once_it_is_read_empty() -> None:
    """CLOSED is said, what had arrived can still be read, then AT+CIPRXGET fails?"""

    async def scenario() -> None:
        async with switched_on() as (_, client), serving() as (server, port):
            await connect(client, port)
            server.writers[0].write(b"bye")
            server.writers[0].close()
            assert await client.lines(1) == ["+CIPRXGET: 1,0", "0, CLOSED"]
            assert await client.ask("AT+CIPRXGET=2,0,1460") == ["+CIPRXGET: 2,0,3,0", "bye", "OK"]
            assert await client.ask("AT+CIPRXGET=2,0,1460") == ["ERROR"]
            assert await client.ask("AT+CIPSEND=0,1") == ["ERROR"]

    run(scenario())


def test_does_nobody_listening_fail_the_connection() -> None:
    """A closed port, a name that is not known, an address that is not of this machine?"""

    async def scenario() -> None:
        async with switched_on() as (_, client):
            assert await connect(client, 1) == ["OK", "0, CONNECT FAIL"]
            for host in ("no.such.host", "192.0.2.1"):
                said = await client.ask(f'AT+CIPSTART=0,"TCP","{host}",80', BRING_UP_S)
                assert said == ["OK", "0, CONNECT FAIL"]

    run(scenario())


def test_is_a_connection_half_open_without_coverage() -> None:
    """Bytes are taken and not acknowledged; all arrives once there is coverage again; nobody was told?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client), serving() as (server, port):
            await connect(client, port)
            modem.world.set_coverage(False)
            assert await send(client, b"held") == ["DATA ACCEPT:0,4"]
            assert await client.lines(20) == []
            assert await client.ask("AT+CIPACK=0") == ["+CIPACK: 4,0,4", "OK"]
            assert not server.received
            modem.world.set_coverage(True)
            await asyncio.sleep(10)
            assert bytes(server.received) == b"held"
            assert await client.ask("AT+CIPACK=0") == ["+CIPACK: 4,4,0", "OK"]

    run(scenario())


def test_is_the_context_gone_after_a_minute_without_coverage() -> None:
    """+PDP: DEACT, every link gone, the server none the wiser, and only AT+CIPSHUT leads on?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client), serving() as (server, port):
            await connect(client, port)
            modem.world.set_coverage(False)
            assert await client.lines(70) == ["+PDP: DEACT"]
            assert not server.ended
            assert (await client.ask("AT+CIPSTATUS"))[:2] == ["OK", "STATE: PDP DEACT"]
            assert await client.ask('AT+CSTT="internet"') == ["ERROR"]
            assert await client.ask("AT+CIPSHUT", 1) == ["SHUT OK"]
            assert await client.ask('AT+CSTT="internet"') == ["OK"]

    run(scenario())


def test_is_the_send_window_finite() -> None:
    """Without coverage only so much is taken, and the modem says how much?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client), serving() as (_, port):
            await connect(client, port)
            modem.world.set_coverage(False)
            said = [await send(client, bytes(1460)) for _ in range(5)]
            assert said == [["DATA ACCEPT:0,1460"]] * 4 + [["DATA ACCEPT:0,0"]]

    run(scenario())


def test_does_one_link_without_cipmux_speak_the_short_forms() -> None:
    """No link numbers; SEND OK only once the far side has it; CLOSE OK?"""

    async def scenario() -> None:
        async with switched_on() as (_, client), serving() as (server, port):
            assert await connect(client, port, "AT+CIPMUX=0;+CIPRXGET=1") == ["OK", "CONNECT OK"]
            assert await client.ask("AT+CIPSEND=2") == ["> "]
            client.write(b"hi")
            assert await client.lines(1) == ["SEND OK"]
            assert bytes(server.received) == b"hi"
            assert await client.ask("AT+CIPCLOSE") == ["CLOSE OK"]
            await asyncio.sleep(0.1)
            assert server.ended

    run(scenario())


def test_do_the_named_delays_add_up() -> None:
    """From power-on to an open connection takes what `waited` says, and 6 to 10 s of it in the default world?"""

    async def scenario() -> None:
        async with switched_on(booted=False) as (modem, client), serving() as (_, port):
            began_s = asyncio.get_running_loop().time()
            said: list[str] = []
            while "+CGREG: 0,5" not in said:
                said = await client.ask("ATE0+CGREG?")
            assert await connect(client, port) == ["OK", "0, CONNECT OK"]
            on_the_way = ("boot", "sim_ready", "register", "attach", "pdp_activate", "connect")
            delays_s = sum(ms for name, ms in modem.world.waited if name in on_the_way) / 1000
            took_s = asyncio.get_running_loop().time() - began_s
            assert 6 <= delays_s <= 10
            assert delays_s <= took_s <= delays_s + 2 * BRING_UP_S

    run(scenario())


def test_can_an_attempt_to_connect_be_given_up() -> None:
    """One that gets no answer blocks its link until AT+CIPCLOSE, and says nothing after that?"""

    async def scenario() -> None:
        async with serving() as (_, port), switched_on() as (modem, client):
            modem.world.set_service("23415", "black hole")
            assert await connect(client, port) == ["OK"]
            again = f'AT+CIPSTART=0,"TCP","localhost",{port}'
            assert await client.ask(again) == ["ERROR"]
            assert await client.ask("AT+CIPCLOSE=0,1") == ["0, CLOSE OK"]
            assert await client.lines(100) == []
            modem.world.set_service("23415", "accept")
            assert await client.ask(again, BRING_UP_S) == ["OK", "0, CONNECT OK"]

    run(scenario())
