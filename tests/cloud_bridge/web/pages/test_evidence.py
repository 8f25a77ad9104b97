"""Do the pages show today's weak signal beside two good weeks, as shares of time, after the driver's words?"""

from typing import NamedTuple

import pytest
from sqlalchemy import update

from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.claims import release
from cloud_bridge.store.ownership import BUCKET_MS
from cloud_bridge.store.tables import signal, signal_5min, units
from cloud_bridge.store.upsert import insert_new
from tests.cloud_bridge.people import PASSWORD, Visitor, entrust, unit_of
from tests.cloud_bridge.running import START_MS, Bridge

RAISE = "/charge-points/home-1/jobs"
HISTORY = "/charge-points/home-1/history"


class Cast(NamedTuple):
    driver: Visitor
    support: Visitor


@pytest.fixture
def cast(bridge: Bridge) -> Cast:
    unit_of(bridge, "dora")
    bridge.add_person("ingo", PASSWORD, Role.INSTALLER)
    entrust(bridge, "home-1", "ingo")
    return Cast(Visitor(bridge, "dora"), Visitor(bridge, "sue", Role.SUPPORT))


def store_signal(bridge: Bridge, averages: list[tuple[int, int]], readings: list[tuple[int, int]]) -> None:
    """Store signal, both as (time before now, CSQ); an average is of five samples."""
    made = [
        {
            "unit_id": "home-1",
            "from_ms": (START_MS - ago_ms) // BUCKET_MS * BUCKET_MS,
            "operator": "23415",
            "lowest": csq,
            "highest": csq,
            "total": csq * 5,
            "samples": 5,
        }
        for ago_ms, csq in averages
    ]
    single = [
        {"unit_id": "home-1", "received_ms": START_MS - ago_ms, "csq": csq, "operator": "23415"}
        for ago_ms, csq in readings
    ]
    with bridge.app_state.database.writing() as connection:
        connection.execute(
            update(units).values(first_contact_ms=START_MS - 14 * DAY_MS, owned_from_ms=START_MS - 14 * DAY_MS)
        )
        if made:
            insert_new(connection, signal_5min, made)
        if single:
            insert_new(connection, signal, single)


def a_good_fortnight_and_9_now(bridge: Bridge) -> None:
    averages = [(ago_ms, 20) for ago_ms in range(14 * DAY_MS, HOUR_MS, -BUCKET_MS)]
    store_signal(bridge, averages, [(ago_ms, 9) for ago_ms in range(HOUR_MS - MINUTE_MS, 0, -10_000)])


def test_support_reads_the_last_hour_beside_the_fortnight(bridge: Bridge, cast: Cast) -> None:
    a_good_fortnight_and_9_now(bridge)
    said = cast.support.read(RAISE)
    assert "14 days Last hour" in said
    assert "Signal typically CSQ 20, at worst 9 typically CSQ 9, at worst 9, 9 last" in said
    assert "Nothing to do" not in said
    assert "Look for what has changed" in said


def test_weak_time_is_a_share_of_time_on_every_page(bridge: Bridge, cast: Cast) -> None:
    """Nine hours of good averages, and one hour of weak readings, six a minute."""
    averages = [(ago_ms, 20) for ago_ms in range(10 * HOUR_MS, HOUR_MS, -BUCKET_MS)]
    store_signal(bridge, averages, [(ago_ms, 9) for ago_ms in range(HOUR_MS, 0, -10_000)])
    assert "Weak signal 10% of the 10 hours that were measured" in cast.support.read(RAISE)
    assert "weak for 10% of the time" in cast.driver.read(HISTORY)
    cast.driver.post("/charge-points/home-1/support", text="It drops out.")
    said = cast.support.read("/support/1")
    assert "Signal in the last hour typically CSQ 9, at worst 9, 9 last" in said
    assert "Weak signal in 7 days 10% of the 10 hours that were measured" in said


def test_share_of_a_network_is_of_time(bridge: Bridge, cast: Cast) -> None:
    averages = [(ago_ms, 20) for ago_ms in range(10 * HOUR_MS, HOUR_MS, -BUCKET_MS)]
    store_signal(bridge, averages, [])
    rows = [
        {"unit_id": "home-1", "received_ms": START_MS - ago_ms, "csq": 20, "operator": "23430"}
        for ago_ms in range(HOUR_MS, 0, -10_000)
    ]
    with bridge.app_state.database.writing() as connection:
        insert_new(connection, signal, rows)
    said = cast.driver.read(HISTORY)
    assert "Vodafone CSQ 20 on average, 90% of the time" in said
    assert "EE CSQ 20 on average, 10% of the time" in said


def test_twenty_minutes_after_its_first_contact_the_figures_are_of_these_minutes(bridge: Bridge, cast: Cast) -> None:
    store_signal(bridge, [], [(ago_ms, 9) for ago_ms in range(20 * MINUTE_MS, 0, -MINUTE_MS)])
    said = cast.support.read(RAISE)
    assert "100% of the 20 minutes that were measured" in said
    assert "Measure on site" in said
    assert "CSQ was 9 last" in said


def test_raising_begins_with_the_drivers_words(bridge: Bridge, cast: Cast) -> None:
    cast.driver.post("/charge-points/home-1/support", text="It drops out when the garage door is shut.")
    cast.support.post("/support/1", text="Since when?")
    page = cast.support.get(RAISE)
    reason = page.split('<textarea name="reason"')[1].split(">", 1)[1].split("</textarea>")[0]
    assert reason.startswith("The driver writes: It drops out when the garage door is shut.")
    assert "Measure on site" in reason


def test_long_words_leave_room_for_the_advice(bridge: Bridge, cast: Cast) -> None:
    cast.driver.post("/charge-points/home-1/support", text="a b " * 900)
    page = cast.support.get(RAISE)
    reason = page.split('<textarea name="reason"')[1].split(">", 1)[1].split("</textarea>")[0]
    assert len(reason) <= 1000
    assert "Measure on site" in reason


def test_words_of_the_owner_before_do_not_reach_the_installer(bridge: Bridge, cast: Cast) -> None:
    cast.driver.post("/charge-points/home-1/support", text="My neighbour hates it.")
    bridge.clock.advance(MINUTE_MS)
    with bridge.app_state.database.writing() as connection:
        release(connection, "home-1", now_ms=bridge.clock.now_ms())
    assert "My neighbour hates it." not in cast.support.get(RAISE)


def test_help_begins_with_the_drivers_words(bridge: Bridge, cast: Cast) -> None:
    cast.driver.post("/charge-points/home-1/raise", "/support", text="The light is off.")
    assert "The light is off." in cast.support.read("/support/1")
    cast.driver.post("/charge-points/home-1/raise", "/support", text="")
    assert "My charger does not come back" in cast.support.read("/support/1")
    assert "The driver writes: The light is off." in cast.support.get(RAISE), "what is ready made is not the driver's"
