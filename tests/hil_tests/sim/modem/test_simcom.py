"""Does the simulated SIM800 behave as in its manual: power, boot, memory, registration, errors?"""

import asyncio

from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.simcom import Modem
from tests.hil_tests.sim.modem.client import press, switched_on
from tests.hil_tests.sim.modem.virtual_time import run


def test_are_the_words_of_a_boot_said_in_order() -> None:
    """Nothing for 3 s after PWRKEY, then RDY and the others?"""

    async def scenario() -> None:
        async with switched_on(booted=False) as (_, client):
            client.write(b"AT\r")
            assert await client.lines(2.9) == []
            said = await client.lines(8)
            assert said == ["RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready"]

    run(scenario())


def test_is_it_silent_at_an_automatic_baud_rate() -> None:
    """With the factory's AT+IPR=0, are RDY, +CFUN and +CPIN never said?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client):
            await client.ask("AT+IPR=0")
            await press(modem, 1.1)
            await asyncio.sleep(2)
            await press(modem, 1.1)
            assert await client.lines(12) == ["Call Ready", "SMS Ready"]

    run(scenario())


def test_is_the_power_key_a_toggle() -> None:
    """Pressed again it switches off; pressed too shortly it does nothing; without a supply likewise?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client):
            await press(modem, 0.9)
            assert await client.ask("AT") == ["OK"]
            await press(modem, 1.1)
            assert await client.ask("AT") == []
            modem.supply(False)
            await press(modem, 1.1)
            assert not modem.running

    run(scenario())


def test_does_it_echo_until_told_not_to() -> None:
    """Echo comes back with each power-on unless it was saved with AT&W?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client):
            modem.brown_out()
            await asyncio.sleep(10)
            assert await client.ask("AT") == ["AT\r", "OK"]
            await client.ask("ATE0&W")
            modem.brown_out()
            await asyncio.sleep(10)
            assert await client.ask("AT") == ["OK"]

    run(scenario())


def test_are_errors_as_detailed_as_asked_for() -> None:
    """ERROR, a number, or words, by AT+CMEE?"""

    async def scenario() -> None:
        async with switched_on() as (_, client):
            assert await client.ask("AT+CIICR") == ["ERROR"]
            await client.ask("AT+CMEE=1")
            assert await client.ask("AT+CIICR") == ["+CME ERROR: 3"]
            await client.ask("AT+CMEE=2")
            assert await client.ask("AT+CIICR") == ["+CME ERROR: operation not allowed"]
            assert await client.ask("AT+NOSUCH") == ["ERROR"]

    run(scenario())


def test_does_one_line_carry_many_commands() -> None:
    """One final result for all, and none of them after the first that fails?"""

    async def scenario() -> None:
        async with switched_on() as (_, client):
            assert await client.ask("ATE0+CREG=2;+CREG?") == ['+CREG: 2,5,"01F4","2A3B"', "OK"]
            assert await client.ask("AT+NOSUCH;+CSQ") == ["ERROR"]

    run(scenario())


def test_is_a_lock_on_an_operator_kept_without_power() -> None:
    """AT+COPS and AT+CFUN save themselves, except for CFUN=0?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client):
            assert await client.ask('AT+COPS=1,2,"23410"', within_s=12) == ["OK"]
            modem.brown_out()
            await asyncio.sleep(10)
            assert '+COPS: 1,0,"O2 - UK"' in await client.ask("AT+COPS?")
            await client.ask("AT+CFUN=4", within_s=2)
            modem.brown_out()
            await asyncio.sleep(10)
            assert "+CFUN: 4" in await client.ask("AT+CFUN?")
            await client.ask("AT+CFUN=1", within_s=2)
            await client.ask("AT+CFUN=0", within_s=2)
            modem.brown_out()
            await asyncio.sleep(10)
            assert "+CFUN: 1" in await client.ask("AT+CFUN?")

    run(scenario())


def test_does_it_come_and_go_with_coverage() -> None:
    """Registered, lost, registered again, each said once to who asked for it?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client):
            await client.ask("AT+CGREG=1")
            assert await client.ask("AT+CSQ") == ["+CSQ: 22,0", "OK"]
            modem.world.set_coverage(False)
            assert await client.lines(5) == ["+CGREG: 2"]
            assert await client.ask("AT+CSQ") == ["+CSQ: 99,99", "OK"]
            assert await client.ask("AT+COPS?") == ["+COPS: 0", "OK"]
            modem.world.set_coverage(True)
            assert await client.lines(8) == ["+CGREG: 5"]

    run(scenario())


def test_does_any_byte_end_a_scan() -> None:
    """AT+COPS=? takes half a minute and gives every operator; a byte typed meanwhile aborts it?"""

    async def scenario() -> None:
        async with switched_on() as (_, client):
            await client.ask("AT+CMEE=1")
            operators, final = await client.ask("AT+COPS=?", within_s=50)
            assert operators.startswith('+COPS: (2,"vodafone UK","voda UK","23415"),(1,"O2 - UK"')
            assert final == "OK"
            client.write(b"AT+COPS=?\r")
            assert await client.lines(5) == []
            assert await client.ask("") == ["+CME ERROR: 609"]

    run(scenario())


def test_does_the_network_tell_the_time_only_when_asked() -> None:
    """04/01/01 until AT+CLTS=1 was there before the registration?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client):
            assert await client.ask("AT+CCLK?") == ['+CCLK: "04/01/01,00:00:00+00"', "OK"]
            await client.ask("AT+CLTS=1;&W")
            modem.brown_out()
            assert any(line.startswith("*PSUTTZ: ") for line in await client.lines(10))
            clock, _ = await client.ask("AT+CCLK?")
            assert not clock.startswith('+CCLK: "04/')

    run(scenario())


def test_is_a_hung_modem_cured_by_its_supply_alone() -> None:
    """Silent to everything until the supply has been cut?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client):
            modem.hang()
            assert await client.ask("AT", within_s=60) == []
            modem.supply(False)
            await asyncio.sleep(1)
            modem.supply(True)
            await press(modem, 1.1)
            assert "RDY" in await client.lines(5)

    run(scenario())


def test_does_a_seed_repeat_a_run() -> None:
    """The same seed gives the same delays, another seed others?"""

    async def delays(seed: int) -> list[tuple[str, int]]:
        modem = Modem(World(seed))
        modem.supply(True)
        modem.power_on()
        await asyncio.sleep(15)
        modem.close()
        return list(modem.world.waited)

    assert run(delays(3)) == run(delays(3))
    assert run(delays(3)) != run(delays(4))


def test_does_a_network_that_refuses_us_send_us_away() -> None:
    """Registered no more, the cause kept by the SIM, and the next network taken?"""

    async def scenario() -> None:
        async with switched_on() as (modem, client):
            await client.ask("AT+CREG=1")
            modem.world.set_service("23415", "reject 11")
            said = await client.lines(20)
            assert said == ["+CREG: 2", "+CREG: 3", "+CREG: 2", "+CREG: 5"]
            assert modem.plmn == "23410"
            assert await client.ask("AT+CRSM=176,28539,0,0,12") == ['+CRSM: 144,0,"32F451FFFFFFFFFFFFFFFFFF"', "OK"]

    run(scenario())


def test_is_the_forbidden_list_what_keeps_it_out() -> None:
    """A SIM that forbids every network finds none until its list is cleared and the radio starts anew?"""

    async def scenario() -> None:
        async with switched_on(booted=False) as (modem, client):
            modem.world.forbidden = {"23410", "23415", "23430"}
            await client.lines(60)
            assert modem.plmn is None
            assert '(3,"O2 - UK","O2","23410")' in (await client.ask("AT+COPS=?", 60))[1]
            await client.ask(f'AT+CRSM=214,28539,0,0,12,"{"F" * 24}"')
            await client.ask("AT+CFUN=4", 2)
            await client.ask("AT+CFUN=1", 5)
            assert modem.plmn == "23415"

    run(scenario())
