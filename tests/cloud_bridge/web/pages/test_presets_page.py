"""Does a supplier's tariff preset set hours and cost together, and only after showing them?"""

import pytest

from cloud_bridge.store.access import Role
from cloud_bridge.store.sites import Tariff, currency_of, describe_site, set_tariff, tariff_of
from tests.cloud_bridge.people import Visitor, entrust, text_of, unit_of
from tests.cloud_bridge.running import DEADLINE_S, Bridge, Unit, sample

CHARGING = "/charge-points/home-1/charging"
TARIFF = "/charge-points/home-1/tariff"
PAGE = f"{TARIFF}/intelligent-octopus-go"
RATES = {"rate": "29.1", "off_peak_rate": "7", "off_peak_from": "23:30", "off_peak_to": "05:30"}


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    unit = unit_of(bridge, "dora")
    unit.subscribe("cp/home-1/command")
    unit.publish("cp/home-1/heartbeat", sample("heartbeat-idle"))
    return unit


@pytest.fixture
def driver(bridge: Bridge, unit: Unit) -> Visitor:
    return Visitor(bridge, "dora")


def stored(bridge: Bridge) -> Tariff | None:
    with bridge.app_state.database.reading() as connection:
        return tariff_of(connection, "home-1")


def test_what_it_sets_is_shown_and_nothing_is_set_by_that(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    assert "Octopus Energy, Intelligent Octopus Go" in driver.get(CHARGING)
    said = driver.read(f"{TARIFF}?preset=intelligent-octopus-go")
    assert "Every day, 23:30 to 05:30 now: Not chosen from here yet" in said
    assert "7p per kWh from 23:30 to 05:30, 28p at other times now: not known" in said
    assert "As of May 2026" in said and "check them against your bill" in said
    assert (unit.commands, stored(bridge)) == ([], None)


def test_hours_and_cost_are_set_together_with_the_rates_of_the_bill(
    bridge: Bridge, unit: Unit, driver: Visitor
) -> None:
    said = text_of(driver.post(PAGE, **RATES).text)
    assert unit.heard.wait(DEADLINE_S)
    assert unit.commands[0]["hours"] == "mon-sun 05:30-23:30"
    assert stored(bridge) == Tariff(2910, 700, 1410, 330)
    assert "Waiting for your charger" in said
    assert "7p per kWh from 23:30 to 05:30, 29.1p at other times" in said


def test_a_tariff_without_hours_charges_at_any_time(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    assert "Any time" in driver.read(f"{TARIFF}/ovo-charge-anytime")
    driver.post(f"{TARIFF}/ovo-charge-anytime", **RATES | {"off_peak_rate": ""})
    assert unit.heard.wait(DEADLINE_S)
    assert unit.commands[0]["hours"] == "off"


def test_an_error_keeps_what_was_typed_and_sets_nothing(bridge: Bridge, unit: Unit, driver: Visitor) -> None:
    for typed, field, value in (({"rate": "much"}, "rate", "much"), ({"off_peak_to": "23:30"}, "off_peak_to", "23:30")):
        answer = driver.post(PAGE, **RATES | typed)
        assert answer.status_code == 422
        assert f'value="{value}" aria-invalid="true"' in answer.text
        assert f'id="problem-{field}">Enter ' in answer.text
    assert (unit.commands, stored(bridge)) == ([], None)


def test_one_that_is_not_verified_says_so(driver: Visitor) -> None:
    assert "not verified" in driver.read(f"{TARIFF}/economy-7")
    assert "not verified" not in driver.read(f"{TARIFF}/octopus-go")


def test_it_is_the_owner_s_alone_and_of_great_britain(bridge: Bridge, driver: Visitor) -> None:
    operator, installer = Visitor(bridge, "olga", Role.OPERATOR), Visitor(bridge, "ivy", Role.INSTALLER)
    entrust(bridge, "home-1", "ivy")
    for visitor in (operator, installer):
        assert visitor.client.get(PAGE).status_code == 404
        assert visitor.post(PAGE, "/account", **RATES).status_code == 404
    assert driver.client.get(f"{TARIFF}/none").status_code == 404
    with bridge.app_state.database.writing() as connection:
        describe_site(connection, "home-1", "", "Europe/Paris")
        set_tariff(connection, "home-1", Tariff(2016))
    assert driver.client.get(PAGE).status_code == 404
    said = driver.read(CHARGING)
    assert "20.16 cents per kWh" in said and "Octopus" not in said


def test_the_owner_chooses_the_currency_of_the_site(bridge: Bridge, driver: Visitor) -> None:
    page = "/account/units/home-1"
    assert 'value="GBP" selected>GBP, pence' in driver.get(page)
    driver.post(page, time_zone="Europe/London", currency="EUR", rate="30", off_peak_rate="", name="Home")
    assert 'value="EUR" selected>EUR, cents' in driver.get(page)
    with bridge.app_state.database.reading() as connection:
        assert currency_of(connection, "home-1").code == "EUR"


def test_settings_with_an_error_stay_as_they_were_typed(bridge: Bridge, driver: Visitor) -> None:
    page = "/account/units/home-1"
    typed = {"time_zone": "Europe/Dublin", "currency": "EUR", "name": "Barn", "rate": "12.345"}
    answer = driver.post(page, **typed)
    assert answer.status_code == 422
    assert 'value="Barn"' in answer.text and "<option selected>Europe/Dublin</option>" in answer.text
    assert 'value="12.345" aria-invalid="true"' in answer.text
    assert '<option value="EUR" selected>' in answer.text
    assert "Europe/London</option>" in driver.get(page).split("selected>")[1], "nothing was changed"
