"""Is nothing lost that was answered when a door freezes, the nodes stop or the database is down?

Is no charger called silent because of our outage, and is the outage reported?
"""

import asyncio
import time
from typing import Any
from urllib.error import HTTPError

import pytest
from websockets.exceptions import InvalidStatus

from hil_tests.fixtures.cluster_fixture import DATABASE
from hil_tests.fixtures.ocpp_doors import Given
from hil_tests.fixtures.postgresql import BINARIES
from hil_tests.ingest.ocpp.running_doors import WITHIN_S, charger, order, told

START = {"connectorId": 1, "idTag": "T", "meterStart": 1000, "timestamp": "2026-06-01T10:00:00Z"}
pytestmark = pytest.mark.skipif(not BINARIES, reason="PostgreSQL is not installed")


def rows(given: Given, table: str, unit_id: str) -> int:
    found = given.cloud.postgresql.say(f"SELECT count(*) FROM {table} WHERE unit_id = '{unit_id}'", DATABASE)
    return int(found[0][0])


async def counter(given: Given, door: str, name: str) -> int:
    """Return a counter of a door, once the door is healthy again."""
    give_up_s = time.monotonic() + WITHIN_S
    while True:
        try:
            return int((await asyncio.to_thread(given.doors.health, door))["counters"][name])
        except HTTPError as error:
            error.close()
            assert time.monotonic() < give_up_s, given.doors.log(door)
            await asyncio.sleep(0.1)


async def unanswered(asked: "asyncio.Task[Any]", for_s: float) -> None:
    _, waiting = await asyncio.wait({asked}, timeout=for_s)
    assert waiting, asked


def test_a_door_that_stands_still_answers_nothing_and_its_charger_is_heard_at_another(given: Given) -> None:
    async def story() -> None:
        stays = charger(given, "stays", "a")
        frozen = charger(given, "frozen", "b")
        await stays.connect()
        await frozen.connect()
        await frozen.call("FirmwareStatusNotification", status="Idle")
        await told(given, "frozen", lambda said: said["connected"])
        given.doors.freeze("b")
        try:
            asked = asyncio.create_task(frozen.call("FirmwareStatusNotification", status="Idle"))
            await unanswered(asked, 1.0)
            await told(given, "frozen", lambda said: not said["connected"])
            await stays.call("Heartbeat")
            assert rows(given, "events", "frozen") == 1, "not stored, and not answered"
            async with charger(given, "frozen", "a").connected() as again:
                await again.call("FirmwareStatusNotification", status="Idle")
                said = await told(given, "frozen", lambda said: said["connected"])
                assert said["contact"] == "online"
                given.doors.thaw("b")
                await frozen.ended()  # the older connection: its charger has connected to another door
                await again.call("Heartbeat")
                await told(given, "frozen", lambda said: said["connected"])
            asked.cancel()
        finally:
            given.doors.thaw("b")
        assert (await told(given, "stays", lambda said: said["connected"]))["contact"] == "online"
        assert rows(given, "events", "frozen") >= 2
        await frozen.close()
        await stays.close()

    asyncio.run(story())


def test_without_a_node_chargers_are_heard_and_orders_are_refused_until_one_is_back(given: Given) -> None:
    async def story() -> None:
        async with charger(given, "alone", "a").connected() as connected:
            await connected.call("BootNotification", chargePointVendor="V", chargePointModel="M")
            await told(given, "alone", lambda said: said["connected"])
            given.cloud.nodes.freeze("n1")
            try:
                await connected.call("FirmwareStatusNotification", status="Idle")
                assert rows(given, "events", "alone") >= 2
                with pytest.raises(HTTPError) as refused:
                    await asyncio.to_thread(order, given, "alone", do="limit", amps=10, minutes=60)
                assert refused.value.code in (409, 503), "at once, and not kept for later"
                refused.value.close()
                assert connected.profiles == []
            finally:
                given.cloud.nodes.thaw("n1")
            give_up_s = time.monotonic() + WITHIN_S
            while not connected.profiles:
                try:
                    await asyncio.to_thread(order, given, "alone", do="limit", amps=10, minutes=60)
                except HTTPError as error:  # the node has not started yet
                    error.close()
                assert time.monotonic() < give_up_s, given.doors.log("a")
                await asyncio.sleep(0.2)

    asyncio.run(story())


def test_while_the_database_is_away_nothing_is_answered_and_what_is_sent_again_is_one_session(given: Given) -> None:
    async def story() -> None:
        waits = charger(given, "waits", "a")
        await waits.connect()
        await told(given, "waits", lambda said: said["connected"])
        given.cloud.postgresql.stop()
        try:
            asked = asyncio.create_task(waits.ask([2, "start", "StartTransaction", START]))
            await unanswered(asked, 2.0)
            with pytest.raises(InvalidStatus) as refused:
                await charger(given, "moves", "a").connect()
            assert refused.value.response.status_code == 503 and refused.value.response.headers["Retry-After"]
        finally:
            given.cloud.postgresql.start()
        answered = await asked  # it waits for the commit
        assert await counter(given, "a", "refused_store") >= 1
        again = await waits.ask([2, "again", "StartTransaction", START])
        assert again[2]["transactionId"] == answered[2]["transactionId"]
        stop = {"transactionId": answered[2]["transactionId"], "meterStop": 4000, "timestamp": "2026-06-01T12:00:00Z"}
        for _ in range(2):
            await waits.call("StopTransaction", **stop)
        said = await told(given, "waits", lambda said: said["connected"])
        assert said["contact"] == "online" and rows(given, "sessions", "waits") == 1
        await waits.close()

    asyncio.run(story())
