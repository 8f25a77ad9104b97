"""Can an owner see to whom their charger is shown and end it, and nobody else?"""

import pytest

from cloud_bridge.northbound import link_errors
from cloud_bridge.store import northbound
from cloud_bridge.store.access import Role
from cloud_bridge.store.northbound import LinkState, Setting, shown_of
from cloud_bridge.store.people import find_person
from tests.cloud_bridge.people import Visitor, unit_of
from tests.cloud_bridge.running import START_MS, Bridge, sample

CHARGER = "/charge-points/home-1"
PEOPLE = "/account/units/home-1/people"
END = f"{PEOPLE}/northbound/end"
SETTING = Setting("home-1", START_MS, "wss://csms.example/ocpp", "home-1", "the key of it", "TAG", False)


@pytest.fixture
def ann(bridge: Bridge) -> Visitor:
    unit_of(bridge, "ann").publish("cp/home-1/heartbeat", sample("heartbeat-charging"))
    with bridge.app_state.database.writing() as connection:
        northbound.show(connection, SETTING, find_person(connection, "ann").id)
    return Visitor(bridge, "ann")


def becomes(bridge: Bridge, state: LinkState) -> None:
    with bridge.app_state.database.writing() as connection:
        northbound.record_links(connection, [(SETTING, state)])


def is_shown(bridge: Bridge) -> bool:
    with bridge.app_state.database.reading() as connection:
        return shown_of(connection, "home-1") is not None


def test_an_owner_reads_to_whom_it_is_shown_and_how_that_goes(bridge: Bridge, ann: Visitor) -> None:
    assert "csms.example: not connected" in ann.get(CHARGER)
    becomes(bridge, LinkState(None, None, START_MS, link_errors.HTTP, "503"))
    for where in (CHARGER, PEOPLE):
        page = ann.get(where)
        assert "csms.example: not connected, it answers with HTTP 503" in page and "It gives no orders." in page
        assert SETTING.secret not in page
    becomes(bridge, LinkState(START_MS, START_MS))
    assert "csms.example: connected, last answer" in ann.get(CHARGER)


def test_an_owner_ends_it(bridge: Bridge, ann: Visitor) -> None:
    for _ in range(2):  # twice is the same as once
        assert ann.post(END, "/account/units/home-1").status_code == 200
    assert not is_shown(bridge) and "csms.example" not in ann.get(PEOPLE)


def test_nobody_else_ends_it(bridge: Bridge, ann: Visitor) -> None:
    for name, role in (("ben", Role.DRIVER), ("sue", Role.SUPPORT)):
        assert Visitor(bridge, name, role).post(END, "/account").status_code in (403, 404)
    assert bridge.stranger().post(END, follow_redirects=False).status_code != 200
    assert is_shown(bridge)
