"""Does the API report of a vehicle what the dashboard shows its driver, and no more?"""

import pytest

from cloud_bridge.store.access import Role
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from tests.cloud_bridge.vehicles.acting import BLUE
from tests.cloud_bridge.vehicles.browsing import PASSWORD, Driver
from tests.cloud_bridge.web.test_pages import log_in


def test_a_vehicle_is_told_with_its_charge_and_when_it_was_heard(ann: Driver) -> None:
    ann.link()
    answer = ann.client.get("/api/vehicles")
    (vehicle,) = answer.json()
    assert (vehicle["name"], vehicle["maker"], vehicle["access"]) == ("Blue", "Maker", "linked")
    assert vehicle["problem"] is None
    assert vehicle["last_heard"] == "2026-01-01T00:00:00.000Z"
    assert isinstance(vehicle["battery_percent"], float)
    assert BLUE.vin not in answer.text


@pytest.mark.parametrize("trouble", [Trouble.CONSENT_GONE, Trouble.REMOTE_OFF])
def test_lost_access_comes_with_the_way_back(ann: Driver, trouble: Trouble) -> None:
    ann.link()
    ann.trouble(trouble)
    (vehicle,) = ann.client.get("/api/vehicles").json()
    assert vehicle["access"] == "access_lost"
    problem = vehicle["problem"]
    assert "Blue" in problem["title"] and "Refresh" in problem["remedy"]
    assert problem["connect_again"] == (trouble is Trouble.CONSENT_GONE)
    assert problem["since"] == "2026-01-01T00:00:00.000Z"
    assert problem["title"] in ann.client.get("/").text.replace("&#39;", "'")


def test_a_vehicle_is_told_to_its_driver_alone(ann: Driver) -> None:
    ann.link()
    ann.bridge.add_person("olga", PASSWORD, Role.SUPPORT)
    ann.client.cookies.clear()
    assert log_in(ann.client, "olga") == 303
    assert ann.client.get("/api/vehicles").json() == []
