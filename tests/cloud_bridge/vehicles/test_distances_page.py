"""Does a person see ranges in the unit of their choice, and in the usual one until they choose?"""

from cloud_bridge.store.sites import describe_site
from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.vehicles.browsing import Driver
from tests.cloud_bridge.web.test_pages import text_of

PAGE = "/account/distances"


def test_a_range_is_in_the_usual_unit_until_another_is_chosen(bridge: Bridge, ann: Driver) -> None:
    ann.maker.charge["range_km"] = 250.0
    ann.own_unit()
    ann.link()
    pages = ("/", "/account/vehicles/1")
    assert "as is usual where your charger is: miles" in text_of(ann.client.get(PAGE).text).lower()
    for chosen, text in (("", "155 miles"), ("km", "250 km"), ("mi", "155 miles")):
        ann.post(PAGE, unit=chosen)
        for path in pages:
            assert text in text_of(ann.client.get(path).text), path
    assert 'value="mi" checked' in ann.client.get(PAGE).text


def test_it_is_kilometres_where_the_charger_hangs_in_another_country(bridge: Bridge, ann: Driver) -> None:
    ann.maker.charge["range_km"] = 250.0
    ann.own_unit()
    ann.link()
    with bridge.app_state.database.writing() as connection:
        describe_site(connection, "home-1", "", "Europe/Dublin")
    assert "250 km" in text_of(ann.client.get("/account/vehicles/1").text)


def test_no_other_unit_can_be_chosen(ann: Driver) -> None:
    assert ann.post(PAGE, unit="furlongs").status_code == 422
