"""Does ATD*99# start data mode, and do `+++`, ATO, ATH and the network end it as V.250 says?"""

import pytest

from hil_tests.sim.modem.command import AtError, Command, commands
from hil_tests.sim.modem.ppp import LCP, frame
from tests.hil_tests.sim.modem.client import Client, switched_on
from tests.hil_tests.sim.modem.virtual_time import run

DIALLED_S = 2  # including PDP activation
TERMINATE = frame(LCP, bytes([5, 1, 0, 4]))  # LCP Terminate-Request


async def dial(client: Client, number: str = "*99#") -> bytes:
    client.read()
    client.write(f"ATD{number}\r".encode())
    await client.sleep(DIALLED_S)
    return client.read()


async def escape(client: Client, before_s: float = 1.1, after_s: float = 1.1) -> list[str]:
    client.write(b"x")
    await client.sleep(before_s)
    client.read()
    client.write(b"+++")
    return await client.lines(after_s)


@pytest.mark.parametrize("number", ["*99#", "*99***1#", "*99**PPP*2#", "*99*10.0.0.1*1*1#"])
def test_does_every_form_of_the_number_connect(number: str) -> None:
    """CONNECT, then a frame with the network's Configure-Request?"""

    async def scenario() -> None:
        async with switched_on() as (_, client):
            said = await dial(client, number)
            assert said.startswith(b"\r\nCONNECT\r\n~\xff}#\xc0!}!")

    run(scenario())


def test_is_another_number_refused() -> None:
    async def scenario() -> None:
        async with switched_on() as (_, client):
            for number in ("+441632960000", "*98#", "*99", "112;"):
                assert await dial(client, number) == b"\r\nERROR\r\n"

    run(scenario())


def test_is_a_context_that_is_refused_no_carrier() -> None:
    async def scenario() -> None:
        async with switched_on() as (modem, client):
            modem.world.set_service("23415", "no data")
            assert await dial(client) == b"\r\nNO CARRIER\r\n"
            assert await client.ask("AT") == ["OK"]

    run(scenario())


def test_does_a_call_attach_first_where_the_client_had_detached() -> None:
    async def scenario() -> None:
        async with switched_on() as (_, client):
            await client.ask("AT+CGATT=0", DIALLED_S)
            client.write(b"ATD*99#\r")
            await client.sleep(2 * DIALLED_S)
            assert client.read().startswith(b"\r\nCONNECT\r\n")

    run(scenario())


def test_does_the_escape_sequence_need_silence_on_both_sides() -> None:
    """Within data, or followed by data, it is data?"""

    async def scenario() -> None:
        async with switched_on() as (_, client):
            await dial(client)
            assert "OK" not in await escape(client, before_s=0.5)
            assert "OK" not in await escape(client, after_s=0.5)
            client.write(b"+++x")
            assert "OK" not in await client.lines(2)
            assert "OK" in await escape(client)
            assert await client.ask("AT") == ["OK"]

    run(scenario())


def test_is_a_call_resumed_and_hung_up() -> None:
    """ATO gives CONNECT again, ATH OK, and then there is nothing to resume?"""

    async def scenario() -> None:
        async with switched_on() as (_, client):
            assert await client.ask("ATO") == ["NO CARRIER"]
            await dial(client)
            await escape(client)
            assert await client.ask("ATD*99#", DIALLED_S) == ["ERROR"]
            assert (await client.ask("ATO"))[0] == "CONNECT"
            await escape(client)
            assert await client.ask("ATH") == ["OK"]
            assert await client.ask("ATO") == ["NO CARRIER"]
            assert (await dial(client)).startswith(b"\r\nCONNECT")

    run(scenario())


def test_are_urcs_held_back_in_data_mode() -> None:
    async def scenario() -> None:
        async with switched_on() as (modem, client):
            await client.ask("AT+CREG=1")
            await dial(client)
            modem.world.set_coverage(False)
            await client.sleep(5)
            assert b"+CREG" not in client.read()

    run(scenario())


def test_is_the_end_of_the_connection_no_carrier() -> None:
    """By the client's Terminate-Request, or by the network: NO CARRIER, in command mode too?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client):
            await dial(client)
            client.write(TERMINATE)
            assert (await client.lines(1))[-1] == "NO CARRIER"
            await dial(client)
            modem.drop_pdp()
            assert (await client.lines(1))[-1] == "NO CARRIER"
            await dial(client)
            await escape(client)
            modem.drop_pdp()
            assert await client.lines(1) == ["NO CARRIER"]
            assert await client.ask("AT") == ["OK"]

    run(scenario())


def test_is_a_client_that_never_answers_given_up() -> None:
    """Ten Configure-Requests, 3 s apart, then NO CARRIER?"""

    async def scenario() -> None:
        async with switched_on() as (_, client):
            assert (await dial(client)).count(b"~\xff}#\xc0!}!") == 1
            await client.sleep(40)
            said = client.read()
            assert said.count(b"~\xff}#\xc0!}!") == 9
            assert said.endswith(b"\r\nNO CARRIER\r\n")

    run(scenario())


def test_is_a_minute_without_coverage_the_end() -> None:
    async def scenario() -> None:
        async with switched_on() as (modem, client):
            await dial(client)
            await escape(client)
            modem.world.set_coverage(False)
            assert "NO CARRIER" in await client.lines(70)

    run(scenario())


def test_is_the_number_everything_up_to_the_end() -> None:
    assert commands("D*99***1#") == (Command("D", "execute", ("*99***1#",)),)
    assert commands("E0D*99#")[1] == Command("D", "execute", ("*99#",))
    assert commands("D112;+CSQ") == (Command("D", "execute", ("112",)), Command("+CSQ", "execute"))
    with pytest.raises(AtError):
        commands("\\Q")
