"""Does the operator see the worst first, and everybody how the service itself is?"""

import json

import pytest

from cloud_bridge.store.access import Role
from cloud_bridge.store.fleet import Silent
from cloud_bridge.web.fleet import INCIDENT_MS, Incident, incidents
from cloud_bridge.web.phone import KEPT
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge, Unit, sample

MINUTE_MS = 60_000


def silent(at_ms: int, operator: str = "23415") -> Silent:
    return Silent(f"cp-{at_ms}", at_ms, json.dumps({"o": operator}), "UTC")


def test_the_longest_unheard_stand_first(bridge: Bridge) -> None:
    for unit_id in ("first", "second"):
        Unit(bridge, unit_id, bridge.add_unit(unit_id).secret).connect().publish(
            f"cp/{unit_id}/heartbeat", sample("heartbeat-idle")
        )
        bridge.clock.advance(20 * MINUTE_MS)
    bridge.add_unit("third")
    said = Visitor(bridge, "olga", Role.OPERATOR).read("/fleet")
    assert said.index("first") < said.index("second") < said.index("Never heard") < said.index("third")
    assert "first Ready, no vehicle connected · Vodafone Silent 40 minutes ago" in said


def test_a_charger_is_found_by_its_id_or_name(bridge: Bridge) -> None:
    bridge.add_unit("home-1")
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    assert "home-1" in operator.read("/fleet?q=home")
    for nothing in ("%25", "_", "x"):
        assert "No charger is called that" in operator.read(f"/fleet?q={nothing}")


@pytest.mark.parametrize("role", [Role.DRIVER, Role.INSTALLER])
def test_the_fleet_is_not_for_everybody(bridge: Bridge, role: Role) -> None:
    assert Visitor(bridge, "eve", role).client.get("/fleet").status_code == 404


def test_many_that_fall_silent_together_on_one_network_are_one_incident() -> None:
    together = [silent(at_ms) for at_ms in range(0, 5 * MINUTE_MS, MINUTE_MS)]
    assert incidents(together) == [Incident("Vodafone", 0, 5)]
    assert incidents(together[:4]) == []
    assert incidents([silent(at * (INCIDENT_MS + 1)) for at in range(9)]) == []
    assert incidents([silent(at, operator) for at, operator in enumerate(["23415", "23430"] * 4)]) == []


def test_the_status_page_is_for_everybody_and_names_nobody(bridge: Bridge) -> None:
    bridge.add_unit("home-1")
    bridge.send_canary()
    page = bridge.stranger().get("/status")
    assert "we are listening" in page.text
    assert "home-1" not in page.text
    bridge.clock.advance(MINUTE_MS)
    assert "We are not hearing chargers now" in bridge.stranger().get("/status").text


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
