"""Does the dashboard show the running session's energy, cost and beginning, and when the charge will be enough?"""

import pytest

from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.store.sites import Tariff, set_tariff
from tests.cloud_bridge.people import Visitor, unit_of
from tests.cloud_bridge.running import Bridge, Unit

PAGE = "/charge-points/home-1"


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    """Dora's unit without a vehicle; a minute later one is plugged in and charges."""
    unit = unit_of(bridge, "dora")
    unit.publish("cp/home-1/heartbeat", b'{"n":1,"b":1,"s":"A1","w":0,"e":1000}')
    bridge.clock.advance(MINUTE_MS)
    unit.publish("cp/home-1/heartbeat", b'{"n":2,"b":1,"s":"C2","w":7360,"e":1000}')
    return unit


@pytest.fixture
def driver(bridge: Bridge, unit: Unit) -> Visitor:
    return Visitor(bridge, "dora")


def drawn(bridge: Bridge, unit: Unit, driver: Visitor, number: int, meter_wh: int) -> str:
    """Return the dashboard when the meter has reached this value."""
    unit.publish("cp/home-1/heartbeat", b'{"n":%d,"b":1,"s":"C2","w":7360,"e":%d}' % (number, meter_wh))
    bridge.until(lambda: f"{meter_wh / 1000:.1f} kWh" in driver.read(PAGE), "heard")
    return driver.read(PAGE)


def test_energy_cost_and_since_when(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    assert "This session 0.0 kWh Since 00:01" in driver.read(PAGE), "no price is known"
    with bridge.app_state.database.writing() as connection:
        set_tariff(connection, "home-1", Tariff(2450))
    bridge.clock.advance(20 * MINUTE_MS)
    assert "This session 2.5 kWh Cost so far £0.61 Since 00:01" in drawn(bridge, unit, driver, 3, 3500)


def test_two_rates_are_told_apart_by_when_it_charged(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    """From 00:01 to 00:21, half of it off-peak."""
    with bridge.app_state.database.writing() as connection:
        set_tariff(connection, "home-1", Tariff(3000, 1000, 11, 300))
    bridge.clock.advance(20 * MINUTE_MS)
    assert "Cost so far £0.50" in drawn(bridge, unit, driver, 3, 3500)


def test_a_session_of_yesterday_has_its_day(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    bridge.clock.advance(DAY_MS)
    assert "Since 1 Jan, 00:01" in drawn(bridge, unit, driver, 3, 3500)


def test_without_a_vehicle_there_is_no_session(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    unit.publish("cp/home-1/heartbeat", b'{"n":3,"b":1,"s":"A1","w":0,"e":3500}')
    bridge.until(lambda: "Ready, no vehicle connected" in driver.read(PAGE), "heard")
    assert "This session" not in driver.read(PAGE)
