"""Does the operator see the worst units first, and everybody the state of the service?"""

import html
import json
import re

import pytest
from sqlalchemy import update

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store import fleet
from cloud_bridge.store.access import Role
from cloud_bridge.store.fleet import SilentMinute
from cloud_bridge.store.people import find_person
from cloud_bridge.store.sites import describe_site
from cloud_bridge.store.tables import units
from cloud_bridge.web.pages.everyone.pwa import KEPT
from cloud_bridge.web.pages.operator.fleet import INCIDENT_MS, Incident, incidents
from tests.cloud_bridge.people import Visitor, text_of
from tests.cloud_bridge.running import Bridge, Unit


def minute(at_ms: int, units: int = 1, operator: str = "23415") -> SilentMinute:
    return SilentMinute(operator, at_ms, at_ms, units)


def heard(bridge: Bridge, unit_id: str, operator: str = "23415") -> None:
    unit = Unit(bridge, unit_id, bridge.add_unit(unit_id).secret).connect()
    unit.publish(f"cp/{unit_id}/heartbeat", json.dumps({"n": 1, "b": 1, "s": "A1", "o": operator}).encode())


def listed(page: str) -> list[str]:
    """Return the chargers on the page, in order."""
    return re.findall(r'href="/charge-points/([^"/]+)"', page)


def test_the_longest_unheard_stand_first(bridge: Bridge) -> None:
    for unit_id in ("first", "second"):
        heard(bridge, unit_id)
        bridge.clock.advance(20 * MINUTE_MS)
    bridge.add_unit("third")
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    assert listed(operator.get("/fleet")) == ["first", "second"]
    assert "first Was ready, no vehicle connected Vodafone Silent 40 minutes ago" in operator.read("/fleet")
    assert listed(operator.get("/fleet?by=never")) == ["third"]


def test_the_silent_are_counted_by_network_and_found_there(bridge: Bridge) -> None:
    heard(bridge, "one", "23430")
    heard(bridge, "two", "23410")
    heard(bridge, "three", "23430")
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    assert listed(operator.get("/fleet?by=network")) == ["two", "one", "three"]
    assert listed(operator.get("/fleet?network=23430")) == ["one", "three"]
    bridge.clock.advance(31 * MINUTE_MS)
    bridge.app_state.upkeep.notice()
    assert "3 silent EE 2 O2 1" in operator.read("/fleet")


def test_what_fell_silent_together_is_told_once_and_never_before_what_is_searched(bridge: Bridge) -> None:
    for unit_id in ("a", "b", "c", "d", "e"):
        heard(bridge, unit_id)
    bridge.clock.advance(31 * MINUTE_MS)
    bridge.app_state.upkeep.notice()
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    assert "5 on Vodafone fell silent together, the first at Thu 1 Jan, 00:00" in operator.read("/fleet")
    assert "together" not in operator.read("/fleet?q=a")


@pytest.mark.parametrize("by", ["silence", "network", "site"])
def test_a_long_fleet_is_turned_page_by_page_and_nobody_is_left_out(
    bridge: Bridge, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "PAGE", 2)
    names = [f"cp-{number}" for number in range(5)]
    for name in names:
        heard(bridge, name)
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    seen, path = [], f"/fleet?by={by}"
    while path:
        page = operator.get(path)
        assert len(listed(page)) <= 2
        seen += listed(page)
        found = re.search(r'href="([^"]+)">Next chargers', page)
        path = html.unescape(found[1]) if found else ""
    assert seen == names


@pytest.mark.parametrize("by", ["silence", "network", "site"])
def test_every_head_sorts_the_table_both_ways_and_says_so(
    bridge: Bridge, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "PAGE", 2)
    names = [f"cp-{number}" for number in range(5)]
    for name in names:
        heard(bridge, name)
        bridge.clock.advance(1000)
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    page = operator.get(f"/fleet?by={by}")
    assert page.count("aria-sort=") == page.count('aria-sort="ascending"') == 1
    found = re.search(r'aria-sort="ascending"><a href="([^"]+)"', page)
    assert found
    seen, path = [], html.unescape(found[1])
    while path:
        page = operator.get(path)
        assert page.count("aria-sort=") == page.count('aria-sort="descending"') == 1
        seen += listed(page)
        more = re.search(r'href="([^"]+)">Next chargers', page)
        path = html.unescape(more[1]) if more else ""
    assert seen == names[::-1]


def test_the_silent_are_counted_by_site(bridge: Bridge) -> None:
    """A site is all units of one owner; a unit without an owner is its own site."""
    for unit_id in ("bay-1", "bay-2", "alone"):
        heard(bridge, unit_id)
    Visitor(bridge, "ann", Role.DRIVER)
    with bridge.app_state.database.writing() as connection:
        ann = find_person(connection, "ann").id
        connection.execute(update(units).where(units.c.id.in_(("bay-1", "bay-2"))).values(owner_id=ann))
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    assert "Silent by site" not in operator.read("/fleet")
    bridge.clock.advance(31 * MINUTE_MS)
    bridge.app_state.upkeep.notice()
    said = operator.read("/fleet")
    assert "Silent by site bay-1 and others of its owner 2 alone 1" in said


@pytest.mark.parametrize("address", ["after=x", "after=x&after=y", "after=9&after=9&after=9"])
def test_an_address_that_was_written_by_hand_finds_nothing(bridge: Bridge, address: str) -> None:
    assert Visitor(bridge, "olga", Role.OPERATOR).client.get(f"/fleet?{address}").status_code == 404


def test_a_charger_is_found_by_its_id_or_name(bridge: Bridge) -> None:
    bridge.add_unit("home-1")
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    assert listed(operator.get("/fleet?q=home")) == ["home-1"]
    for nothing in ("%25", "_", "x"):
        assert "No charger is called that" in operator.read(f"/fleet?q={nothing}")


def name(bridge: Bridge, unit_id: str, called: str) -> None:
    bridge.add_unit(unit_id)
    with bridge.app_state.database.writing() as connection:
        describe_site(connection, unit_id, called, "Europe/London")


def test_ids_come_before_names_and_nothing_comes_twice(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    """In small and capital letters alike, page by page."""
    monkeypatch.setattr(fleet, "PAGE", 2)
    for unit_id, called in (
        ("Home-2", "Home, too"),
        ("x-9", "HOME of Ann"),
        ("x-1", "home of Ben"),
        ("home-1", "Yard"),
    ):
        name(bridge, unit_id, called)
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    seen, path = [], "/fleet?q=hOMe"
    while path:
        page = operator.get(path)
        seen += listed(page)
        found = re.search(r'href="([^"]+)">Next chargers', page)
        path = html.unescape(found[1]) if found else ""
    assert seen == ["home-1", "Home-2", "x-9", "x-1"]


@pytest.mark.parametrize("after", ["after=id", "after=x&after=y&after=z", "after=id&after=y"])
def test_an_address_of_a_search_that_was_written_by_hand_finds_nothing(bridge: Bridge, after: str) -> None:
    assert Visitor(bridge, "olga", Role.OPERATOR).client.get(f"/fleet?q=a&{after}").status_code == 404


@pytest.mark.parametrize("role", [Role.DRIVER, Role.INSTALLER])
def test_the_fleet_is_not_for_everybody(bridge: Bridge, role: Role) -> None:
    assert Visitor(bridge, "eve", role).client.get("/fleet").status_code == 404


def test_many_that_fall_silent_together_on_one_network_are_one_incident() -> None:
    together = [minute(at_ms) for at_ms in range(0, 5 * MINUTE_MS, MINUTE_MS)]
    assert incidents(together) == [Incident("Vodafone", 0, 5)]
    assert incidents(together[:4]) == []
    assert incidents([minute(0, 4), minute(INCIDENT_MS)]) == [Incident("Vodafone", 0, 5)]
    assert incidents([minute(at * (INCIDENT_MS + 1)) for at in range(9)]) == []
    assert incidents([minute(0, 4, "23415"), minute(0, 4, "23430")]) == []


def test_operators_read_on_the_status_page_which_process_does_the_upkeep(bridge: Bridge) -> None:
    olga = Visitor(bridge, "olga", Role.OPERATOR).client
    assert "Another process notices silence" in text_of(olga.get("/status").text)
    bridge.app_state.leadership.look()
    assert "This process notices silence and sends alerts, since Thu 1 Jan, 00:00 (UTC)" in text_of(
        olga.get("/status").text
    )
    assert "notices silence" not in bridge.stranger().get("/status").text


def test_the_status_page_is_for_everybody_and_names_nobody(bridge: Bridge) -> None:
    bridge.add_unit("home-1")
    bridge.send_canary()
    page = bridge.stranger().get("/status")
    assert "we are listening" in page.text
    assert "Outages in the last 30 days None" in text_of(page.text)
    assert "home-1" not in page.text
    bridge.clock.advance(3 * MINUTE_MS)
    said = text_of(bridge.stranger().get("/status").text)
    assert "We are not hearing chargers now" in said
    assert "Outages in the last 30 days 3 minutes" in said


def test_the_shell_is_kept_and_pages_never(bridge: Bridge) -> None:
    client = bridge.stranger()
    manifest = client.get("/manifest.webmanifest").json()
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    worker = client.get("/worker.js")
    assert worker.headers["Content-Type"].startswith("text/javascript")
    for path in [*KEPT, "/offline", *(icon["src"] for icon in manifest["icons"])]:
        assert client.get(path).status_code == 200
        assert f'"{path}"' in worker.text
    assert "You are offline" in client.get("/offline").text
