"""Do the figures of the history page add up: availability, signal, sessions and their cost?"""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, update

from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.sites import Tariff
from cloud_bridge.store.tables import contact_gaps, signal, units
from cloud_bridge.store.upsert import insert_new
from cloud_bridge.web.presentation.cost import Span, cost
from tests.cloud_bridge.people import PASSWORD, Visitor, give, unit_of
from tests.cloud_bridge.running import START_MS, Bridge, Unit, sample

LONDON = "Europe/London"


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.fixture
def driver(bridge: Bridge) -> Visitor:
    """Dora, whose unit has been hers for 8 days, was silent for six hours of the last week, and has a signal."""
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
        insert_new(connection, signal, [weak])
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


def test_the_currency_of_the_site_is_on_the_page_in_the_csv_and_in_the_interface(
    bridge: Bridge, driver: Visitor
) -> None:
    answer = driver.client.get("/api/charge-points/home-1/sessions").json()
    assert (answer["currency"], answer["sessions"][0]["cost"]) == ("GBP", None)
    driver.post("/account/units/home-1", time_zone=LONDON, currency="EUR", rate="25", off_peak_rate="")
    said = driver.read("/charge-points/home-1/history")
    assert "about €5.54" in said and "£" not in said
    rows = list(csv.DictReader(io.StringIO(driver.get("/charge-points/home-1/history/sessions.csv"))))
    assert [(row["cost"], row["currency"]) for row in rows] == [("5.54", "EUR")]
    answer = driver.client.get("/api/charge-points/home-1/sessions").json()
    assert (answer["currency"], answer["sessions"][0]["cost"]) == ("EUR", 5.54)


def test_a_session_costs_what_its_hours_of_charging_cost_unless_it_charged_at_once(bridge: Bridge) -> None:
    """Twice 10 kWh from 18:00 to 08:00, with the hours of the off-peak rate."""
    unit = unit_of(bridge, "eve")
    eve = Visitor(bridge, "eve")
    rates = {"rate": "28", "off_peak_rate": "8.5", "off_peak_from": "00:30", "off_peak_to": "05:30"}
    eve.post("/account/units/home-1", time_zone=LONDON, **rates)
    unit.publish("cp/home-1/event", b'{"n":1,"b":1,"k":"schedule","d":{"to":"mon-sun 00:00-00:30 05:30-24:00"}}')
    bridge.clock.advance(3 * DAY_MS)
    for number in (7, 8):
        began_s = START_MS // 1000 + (number - 7) * 86_400 + 18 * 3600
        told = {"b": 1, "t0": began_s, "t1": began_s + 14 * 3600, "e": 10_000, "y": "unplugged", "i": number}
        unit.publish("cp/home-1/session", json.dumps({"n": number, **told}).encode())
    unit.publish("cp/home-1/event", b'{"n":9,"b":1,"k":"override","d":{"session":8}}')
    bridge.clock.advance(1)
    rows = csv.DictReader(io.StringIO(eve.get("/charge-points/home-1/history/sessions.csv?days=7")))
    assert [row["cost"] for row in rows] == ["0.85", "2.1"]


@pytest.mark.parametrize(("name", "rows"), [("silences", 1), ("signal", 2), ("sessions", 1)])
def test_everything_can_be_taken_away_as_csv(driver: Visitor, name: str, rows: int) -> None:
    text = driver.get(f"/charge-points/home-1/history/{name}.csv")
    assert len(list(csv.DictReader(io.StringIO(text)))) == rows


def heartbeat(number: int, state: str, watts: int, total_wh: int) -> bytes:
    return json.dumps({"n": number, "b": 9, "s": state, "w": watts, "e": total_wh, "q": 17}).encode()


def test_the_session_that_goes_on_has_its_power_and_energy(bridge: Bridge) -> None:
    unit = unit_of(bridge, "eve")
    eve = Visitor(bridge, "eve")
    unit.publish("cp/home-1/heartbeat", heartbeat(1, "A1", 0, 100_000))
    for minute in range(20):
        bridge.clock.advance(MINUTE_MS)
        unit.publish("cp/home-1/heartbeat", heartbeat(2 + minute, "C2", 7200, 100_000 + 120 * (minute + 1)))
    bridge.clock.advance(1)
    said = eve.read("/charge-points/home-1/history?days=1")
    assert "Now 7.2 kW 2.4 kWh since Thu 1 Jan, 00:01." in said
    assert "Goes on 19 minutes 2.4 kWh" in said
    page = eve.get("/charge-points/home-1/history?days=1")
    assert page.split('data-chart="power"')[1].split("</figure>")[0].count("<data ") == 20
    bridge.clock.advance(HOUR_MS)
    said = eve.read("/charge-points/home-1/history?days=1")
    assert "Now 7.2 kW" not in said
    assert "When it was last heard, Thu 1 Jan, 00:20 7.2 kW" in said
    unit.publish("cp/home-1/heartbeat", heartbeat(50, "A1", 0, 103_000))
    bridge.clock.advance(1)
    assert "Goes on" not in eve.read("/charge-points/home-1/history?days=1")


def test_a_session_that_ended_before_the_span_is_not_in_it(bridge: Bridge, driver: Visitor) -> None:
    unit = Unit(bridge, "home-2", bridge.add_unit("home-2").secret).connect()
    ended_s = START_MS // 1000 - 30 * 3600
    late = {"n": 1, "b": 1, "t0": ended_s - 3600, "t1": ended_s, "s": 3600, "e": 7100, "y": "unplugged"}
    unit.publish("cp/home-2/session", json.dumps(late).encode())
    bridge.clock.advance(1)
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    assert "7.1 kWh" not in operator.read("/charge-points/home-2/history?days=1")
    assert "7.1 kWh" in operator.read("/charge-points/home-2/history?days=7")


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
    assert cost(10_000, Span(None, None), Tariff(2450), LONDON) == 245
    assert cost(10_000, Span(start, end), night, LONDON) == pytest.approx(150)  # three of four hours off-peak
    assert cost(10_000, Span(None, None), night, LONDON) is None
    assert cost(10_000, Span(end, start), night, LONDON) is None
    summer = seconds("2026-07-10T22:30:00")  # 23:30 in London
    assert cost(10_000, Span(summer, summer + 600), night, LONDON) == pytest.approx(100)
