"""Does the history page add up: availability, signal, sessions and their cost?"""

import csv
import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, update

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.sites import Tariff
from cloud_bridge.store.tables import contact_gaps, signal, units
from cloud_bridge.web.presentation.cost import cost_pence
from tests.cloud_bridge.people import PASSWORD, Visitor, give
from tests.cloud_bridge.running import START_MS, Bridge, Unit, sample

LONDON = "Europe/London"


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.fixture
def driver(bridge: Bridge) -> Visitor:
    """Dora, whose unit has been hers for 8 days, was silent for six hours of the last week and has a signal."""
    new = bridge.add_unit("home-1")
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    give(bridge, new.claim_code, "dora")
    unit = Unit(bridge, "home-1", new.secret).connect()
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-idle"))
    unit.publish("cp/home-1/session", sample("session"))
    silence = {"unit_id": "home-1", "from_ms": START_MS - DAY_MS, "to_ms": START_MS - DAY_MS + 6 * HOUR_MS}
    with bridge.app_state.database.writing() as connection:
        connection.execute(
            update(units).values(first_contact_ms=START_MS - 8 * DAY_MS, owned_from_ms=START_MS - 8 * DAY_MS)
        )
        connection.execute(insert(contact_gaps), silence)
        weak = {"unit_id": "home-1", "received_ms": START_MS - HOUR_MS, "csq": 9, "operator": "23415"}
        connection.execute(insert(signal), weak)
    bridge.clock.advance(1)
    return Visitor(bridge, "dora")


def test_the_page_says_how_well_it_was_reached(driver: Visitor) -> None:
    said = driver.read("/charge-points/home-1/history?days=7")
    assert "96.4%" in said
    assert "Silent once, together 6 hours" in said
    assert "Vodafone" in said
    assert "22.1 kWh" in said


def test_a_tariff_gives_every_session_its_cost(driver: Visitor) -> None:
    driver.post("/account/units/home-1", time_zone=LONDON, rate="25", off_peak_rate="")
    assert "£5.54" in driver.read("/charge-points/home-1/history")


@pytest.mark.parametrize(("name", "rows"), [("silences", 1), ("signal", 2), ("sessions", 1)])
def test_everything_can_be_taken_away_as_csv(driver: Visitor, name: str, rows: int) -> None:
    text = driver.get(f"/charge-points/home-1/history/{name}.csv")
    assert len(list(csv.DictReader(io.StringIO(text)))) == rows


def test_a_formula_in_a_csv_is_only_text(bridge: Bridge, driver: Visitor) -> None:
    unit = Unit(bridge, "home-2", bridge.add_unit("home-2").secret).connect()
    unit.publish("cp/home-2/session", b'{"n":1,"b":1,"e":1,"y":"=1+1"}')
    bridge.clock.advance(1)
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    assert ",'=1+1" in operator.get("/charge-points/home-2/history/sessions.csv")


def test_a_span_that_there_is_not_has_its_page(driver: Visitor) -> None:
    assert driver.client.get("/charge-points/home-1/history?days=9999").status_code == 404


def test_costs() -> None:
    night = Tariff(3000, 1000, 23 * 60, 5 * 60)
    start, end = seconds("2026-01-10T22:00:00"), seconds("2026-01-11T02:00:00")
    assert cost_pence(10_000, None, None, Tariff(2450), LONDON) == 245
    assert cost_pence(10_000, start, end, night, LONDON) == pytest.approx(150)  # three of four hours off-peak
    assert cost_pence(10_000, None, None, night, LONDON) is None
    assert cost_pence(10_000, end, start, night, LONDON) is None
    summer = seconds("2026-07-10T22:30:00")  # 23:30 in London
    assert cost_pence(10_000, summer, summer + 600, night, LONDON) == pytest.approx(100)
