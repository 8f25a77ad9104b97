"""Do two OCPP doors of a cluster, each a process, act as one: same charger at both, commands find it, nothing answered is
lost?"""

import asyncio
import time
from contextlib import suppress
from functools import partial
from urllib.error import HTTPError

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hil_tests.fixtures.cluster_fixture import DATABASE
from hil_tests.fixtures.ocpp_doors import Given
from hil_tests.fixtures.postgresql import BINARIES
from hil_tests.ingest.ocpp.running_doors import WITHIN_S, charger, order, told
from hil_tests.sim.ocpp_charger import NoAnswer

KEPT = [f"kept-{number}" for number in range(4)]
pytestmark = pytest.mark.skipif(not BINARIES, reason="PostgreSQL is not installed")


def test_an_order_finds_the_charger_at_its_door_and_is_not_sent_to_one_that_is_away(given: Given) -> None:
    async def story() -> None:
        async with charger(given, "ordered", "b").connected() as connected:
            await connected.call("BootNotification", chargePointVendor="V", chargePointModel="M")
            await told(given, "ordered", lambda said: said["connected"])
            limit = partial(order, given, do="limit", amps=10, minutes=60)
            await asyncio.to_thread(limit, "ordered")
            give_up_s = time.monotonic() + WITHIN_S
            while not connected.profiles:
                assert time.monotonic() < give_up_s, given.doors.log("b")
                await asyncio.sleep(0.05)
        with pytest.raises(HTTPError) as refused:
            await asyncio.to_thread(limit, "away")
        assert refused.value.code == 409, "not sent, and said at once"
        refused.value.close()

    asyncio.run(story())


def test_the_newest_connection_wins_at_whichever_door_and_the_end_of_the_old_one_marks_nobody_gone(
    given: Given,
) -> None:
    async def story() -> None:
        first = charger(given, "moves", "a")
        await first.connect()
        await told(given, "moves", lambda said: said["connected"])
        async with charger(given, "moves", "b").connected() as second:
            await first.ended()
            await first.close()
            assert (await asyncio.to_thread(given.doors.health, "a"))["counters"]["take_overs"] == 1
            await second.call("Heartbeat")
            await told(given, "moves", lambda said: said["connected"])
            async with charger(given, "moves", "a").connected() as third:
                await second.ended()
                await third.call("Heartbeat")
                assert (await told(given, "moves", lambda said: said["connected"]))["contact"] == "online"
        await told(given, "moves", lambda said: not said["connected"])

    asyncio.run(story())


def test_whoever_is_revoked_is_out_at_every_door(given: Given) -> None:
    async def story() -> None:
        async with charger(given, "revoked", "a").connected() as connected:
            await connected.call("Heartbeat")
            await asyncio.to_thread(given.cloud.command, "unit", "revoke", "revoked")
            await connected.ended()
        for door in given.doors.ports:
            with pytest.raises(InvalidStatus):
                await charger(given, "revoked", door).connect()

    asyncio.run(story())


def test_a_door_that_is_killed_loses_nothing_that_it_answered_and_leaves_nobody_connected(given: Given) -> None:
    async def story() -> None:
        answered = dict.fromkeys(KEPT, 0)
        is_over = False

        async def live(unit_id: str) -> None:
            """When one door is killed, the charger continues at the other."""
            turn = int(unit_id[-1])
            while not is_over:
                turn += 1
                here = charger(given, unit_id, "ab"[turn % 2])
                with suppress(OSError, ConnectionClosed, NoAnswer, TimeoutError):
                    await here.connect()
                    while not is_over:
                        await here.call("FirmwareStatusNotification", status="Idle")
                        answered[unit_id] += 1
                        await asyncio.sleep(0.02)
                await here.vanish()

        gone = charger(given, "away", "b")
        await gone.connect()
        living = [asyncio.create_task(live(unit_id)) for unit_id in KEPT]
        await told(given, "away", lambda said: said["connected"])
        await asyncio.sleep(1)
        given.doors.kill("b")
        last = (await told(given, "away", lambda said: not said["connected"]))["last_contact"]
        for unit_id in KEPT:
            assert (await told(given, unit_id, lambda said: said["connected"]))["contact"] == "online"
        is_over = True
        await asyncio.gather(*living)
        for unit_id in KEPT:
            stored = given.cloud.postgresql.say(f"SELECT count(*) FROM events WHERE unit_id = '{unit_id}'", DATABASE)
            assert int(stored[0][0]) >= answered[unit_id] > 0
        assert (await told(given, "away", lambda said: True))["last_contact"] == last, "no contact was made up"
        await gone.vanish()

    asyncio.run(story())
