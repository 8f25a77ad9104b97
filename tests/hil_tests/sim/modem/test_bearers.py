"""Do bearer profiles and PDP contexts open, close and get lost as in the manual?"""

from tests.hil_tests.sim.modem.client import Client, switched_on
from tests.hil_tests.sim.modem.virtual_time import run

BRING_UP_S = 2
LOST_S = 90


def test_a_library_that_opens_a_bearer_profile_first_connects() -> None:
    """The commands of the most used C++ library for these modems, in its order."""

    async def story() -> None:
        async with switched_on() as (_, client):
            for command in (
                "AT+CGATT=1",
                'AT+SAPBR=3,1,"Contype","GPRS"',
                'AT+SAPBR=3,1,"APN","internet"',
                'AT+CGDCONT=1,"IP","internet"',
                "AT+CGACT=1,1",
                "AT+SAPBR=1,1",
            ):
                assert await client.ask(command, BRING_UP_S) == ["OK"], command
            assert await client.ask("AT+SAPBR=2,1") == ['+SAPBR: 1,1,"10.64.1.1"', "OK"]
            assert await client.ask("AT+CGACT?") == ["+CGACT: 1,1", "OK"]
            assert await client.ask("AT+CGDCONT?") == ['+CGDCONT: 1,"IP","internet","0.0.0.0",0,0', "OK"]
            assert await client.ask("AT+CGPADDR=1") == ['+CGPADDR: 1,"10.64.1.4"', "OK"]
            assert await client.ask("AT+CIPMUX=1;+CIPQSEND=1;+CIPRXGET=1") == ["OK"]
            assert await client.ask('AT+CSTT="internet"') == ["OK"]
            assert await client.ask("AT+CIICR", BRING_UP_S) == ["OK"]

    run(story())


def test_a_context_attaches_first_where_the_client_had_detached() -> None:
    """27.007 section 10.1.10 about AT+CGACT; a library detaches before it opens anything, and only attaches afterwards."""

    async def story() -> None:
        for opening in ('AT+CGDCONT=1,"IP","internet";+CGACT=1,1', "AT+SAPBR=1,1"):
            async with switched_on() as (_, client):
                assert await client.ask("AT+CGATT=0", BRING_UP_S) == ["OK"]
                assert await client.ask(opening, 2 * BRING_UP_S) == ["OK"]
                assert await client.ask("AT+CGATT?") == ["+CGATT: 1", "OK"]

    run(story())


async def opened(client: Client) -> None:
    assert await client.ask("AT+SAPBR=1,1", BRING_UP_S) == ["OK"]


def test_what_is_open_is_not_opened_or_set_again_and_what_is_closed_not_closed() -> None:
    async def story() -> None:
        async with switched_on() as (_, client):
            await client.ask("AT+CMEE=1")
            assert await client.ask("AT+SAPBR=0,1") == ["+CME ERROR: 3"]
            assert await client.ask("AT+SAPBR=2,1") == ['+SAPBR: 1,3,"0.0.0.0"', "OK"]
            await opened(client)
            assert await client.ask("AT+SAPBR=1,1", BRING_UP_S) == ["+CME ERROR: 3"]
            assert await client.ask('AT+SAPBR=3,1,"APN","x"') == ["+CME ERROR: 3"]
            assert await client.ask("AT+SAPBR=0,1", BRING_UP_S) == ["OK"]
            assert await client.ask("AT+SAPBR=4,1") == [
                *("+SAPBR:", "CONTYPE: GPRS", "APN: ", "USER: ", "PWD: ", "PHONENUM: ", "RATE: 2", "OK")
            ]

    run(story())


def test_what_is_no_profile_no_tag_and_no_context_is_refused() -> None:
    async def story() -> None:
        async with switched_on() as (_, client):
            for command in (
                "AT+SAPBR=1,4",
                "AT+SAPBR=5,1",
                'AT+SAPBR=3,1,"COLOUR","x"',
                "AT+CGACT=1,1",
                'AT+CGDCONT=1,"X25","x"',
                "AT+CGDCONT=11",
            ):
                assert await client.ask(command, BRING_UP_S) == ["ERROR"], command

    run(story())


def test_a_network_that_takes_the_context_away_says_so_for_each() -> None:
    async def story() -> None:
        async with switched_on() as (modem, client):
            await opened(client)
            client.read()
            modem.drop_pdp()
            assert await client.lines(0.1) == ["+SAPBR 1: DEACT"]
            assert await client.ask("AT+SAPBR=2,1") == ['+SAPBR: 1,3,"0.0.0.0"', "OK"]

    run(story())


def test_power_off_forgets_them() -> None:
    async def story() -> None:
        async with switched_on() as (modem, client):
            assert await client.ask('AT+CGDCONT=1,"IP","internet"') == ["OK"]
            modem.brown_out()
            await client.lines(10)
            await client.ask("ATE0")
            assert await client.ask("AT+CGDCONT?") == ["OK"]

    run(story())
