"""A charge point is sold: what does the new owner see at once, and what happens to the former owner's settings?"""

import re

import pytest

from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.units import NewUnit
from tests.cloud_bridge.people import Visitor, give
from tests.cloud_bridge.running import Bridge, Unit

PAGE = "/charge-points/wall"


@pytest.fixture
def new(bridge: Bridge) -> NewUnit:
    return bridge.add_unit("wall")


@pytest.fixture
def code(new: NewUnit) -> str:
    return new.claim_code


@pytest.fixture
def unit(bridge: Bridge, new: NewUnit) -> Unit:
    unit = Unit(bridge, "wall", new.secret).connect()
    unit.subscribe("cp/wall/command")
    return unit


def sell(bridge: Bridge, code: str, unit: Unit, last: bytes) -> Visitor:
    """Let Ann own the unit, the unit report `last`, and ben claim it a minute later."""
    ann = Visitor(bridge, "ann", Role.DRIVER)
    give(bridge, code, "ann")
    unit.publish("cp/wall/heartbeat", b'{"n":1,"b":1,"s":"A1","w":0,"e":1000}')
    bridge.clock.advance(MINUTE_MS)  # after a longer time, the unit would count as silent
    ann.post(f"{PAGE}/charging/schedule", f"{PAGE}/charging", choice="default")
    unit.publish("cp/wall/heartbeat", last)
    assert "This session" in ann.read(PAGE)
    ann.post("/account/units/wall/release", "/account/units/wall")
    bridge.clock.advance(MINUTE_MS)
    ben = Visitor(bridge, "ben", Role.DRIVER)
    ben.post("/account/units", code=code)
    return ben


CHARGING = b'{"n":2,"b":1,"s":"C2","m":"smart","q":20,"o":"23415","w":7360,"e":4700,"y":"cloud","f":[]}'


def test_the_present_contact_and_state_are_shown_and_nothing_that_was_measured(
    bridge: Bridge, code: str, unit: Unit
) -> None:
    ben = sell(bridge, code, unit, CHARGING)
    shown = ben.read(PAGE)
    assert "1 minute ago" in shown
    assert re.search(r"Charging", shown)
    for theirs in ("7.4 kW", "4.7 kWh", "This session", "3.7 kWh", "Vodafone"):
        assert theirs not in shown, theirs
    said = ben.client.get("/api/charge-points/wall").json()
    assert (said["contact"], said["state"], said["watts"], said["total_wh"]) == ("online", "C2", None, None)
    unit.publish("cp/wall/heartbeat", CHARGING.replace(b'"n":2', b'"n":3'))
    shown = ben.read(PAGE)
    assert "7.4 kW" in shown
    assert "This session" not in shown, "the former owner plugged in"


def test_after_a_long_silence_only_the_last_contact_is_shown(bridge: Bridge, code: str, unit: Unit) -> None:
    ben = sell(bridge, code, unit, CHARGING)
    bridge.clock.advance(HOUR_MS)
    said = ben.client.get("/api/charge-points/wall").json()
    assert (said["contact"], said["state"], said["heartbeat_at"]) == ("silent", None, None)
    assert said["last_contact"] is not None


def test_hours_limit_and_pause_of_the_former_owner_end_with_the_claim(bridge: Bridge, code: str, unit: Unit) -> None:
    ben = sell(bridge, code, unit, CHARGING)
    bridge.until(lambda: len(unit.commands) >= 3, "heard of all commands")
    assert [(one["do"], one.get("hours")) for one in unit.commands] == [
        ("schedule", "default"),
        ("resume", None),
        ("schedule", "off"),
    ]
    unit.publish("cp/wall/result", b'{"n":4,"b":1,"id":"%s","ok":true}' % unit.commands[2]["id"].encode())
    assert "Your charger has accepted it" in ben.read(f"{PAGE}/charging")


def test_the_first_owner_finds_the_unit_as_it_is(bridge: Bridge, code: str, unit: Unit) -> None:
    ann = Visitor(bridge, "ann", Role.DRIVER)
    ann.post("/account/units", code=code)
    assert unit.commands == []


def test_a_unit_that_cannot_be_reached_keeps_its_hours_and_the_new_owner_is_told(
    bridge: Bridge, code: str, unit: Unit
) -> None:
    ann = Visitor(bridge, "ann", Role.DRIVER)
    ann.post("/account/units", code=code)
    ann.post("/account/units/wall/release", "/account/units/wall")
    unit.disconnect()
    bridge.until(lambda: bridge.broker.connections == 0, "disconnected")
    ben = Visitor(bridge, "ben", Role.DRIVER)
    assert ben.post("/account/units", code=code).status_code == 200
    assert "Not sent" in ben.read(f"{PAGE}/charging")
