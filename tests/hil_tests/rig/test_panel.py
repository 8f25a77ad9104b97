"""Is the panel's JSON as documented for scripts? Its unit is switched off."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from hil_tests.rig.panel.app import create_app
from hil_tests.rig.unit import Unit
from hil_tests.sim.board import FAULTS


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[TestClient]:
    """A client of the panel, with one of its own host names."""
    with TestClient(create_app(Unit(tmp_path), asyncio.Event()), base_url="http://127.0.0.1") as client:
        yield client


def test_is_everything_there_that_was_promised(panel: TestClient) -> None:
    """By name and kind?"""
    seen = panel.get("/api/rig").json()
    assert seen["led"] == {"r": 0, "g": 0, "b": 0}
    assert seen["contactor"] is False
    assert seen["pilot"] == "E"
    assert seen["amps"] == 0
    assert seen["csq"] == 99
    assert seen["operator"] is None
    assert seen["mains"] is False
    assert seen["vehicle"]["plugged"] is False
    assert seen["network"] == {"up": True, "csq": 22}
    assert seen["faults"] == []


def test_are_the_faults_listed(panel: TestClient) -> None:
    """Flat for scripts, in two groups for the page?"""
    assert panel.get("/api/rig/faults").json() == list(FAULTS)
    assert sum(panel.get("/api/rig/faults?grouped=true").json(), []) == list(FAULTS)


@pytest.mark.parametrize(
    ("order", "details", "key", "value"),
    [
        ("plug", {}, "vehicle", {"plugged": True, "s2_closed": False, "current_a": 0, "battery_percent": 55}),
        ("network", {"up": False}, "network", {"up": False, "csq": 22}),
        ("network", {"csq": 9}, "network", {"up": True, "csq": 9}),
        ("fault", {"name": "rcd_ac", "on": True}, "faults", ["rcd_ac"]),
        ("mains", {"on": True}, "mains", True),
        ("mains", {"off_s": 30}, "mains_back_in_s", 30),
        ("tamper", {"open": True}, "tamper", True),
    ],
)
def test_are_orders_obeyed(panel: TestClient, order: str, details: dict[str, Any], key: str, value: Any) -> None:
    """Each answers with what is seen then?"""
    answer = panel.post(f"/api/rig/{order}", json=details)
    assert answer.status_code == 200
    assert answer.json()[key] == value


@pytest.mark.parametrize(
    ("order", "details"),
    [
        ("network", {"csq": 32}),
        ("network", {"csq": -1}),
        ("network", {}),
        ("network", {"signal": 3}),
        ("mains", {"off_s": -1}),
        ("mains", {"off_s": 1, "on": True}),
        ("mains", {}),
        ("fault", {"name": "rcd_ac"}),
        ("fault", {"name": "gremlins", "on": True}),
    ],
)
def test_are_bad_orders_refused(panel: TestClient, order: str, details: dict[str, Any]) -> None:
    """With a status of 4xx and a word on why, and nothing changed?"""
    before = panel.get("/api/rig").json()
    answer = panel.post(f"/api/rig/{order}", json=details)
    assert 400 <= answer.status_code < 500
    assert answer.json()["detail"]
    assert panel.get("/api/rig").json() == before


def test_does_the_page_bring_no_script_or_style_of_its_own(panel: TestClient) -> None:
    """Everything from its own server, nothing inline?"""
    page = panel.get("/")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "<style" not in page.text
    assert " style=" not in page.text
    assert " onclick=" not in page.text
    assert "https://" not in page.text
    for part in ("panel.js", "view.js", "panel.css", "icon.svg"):
        assert panel.get(f"/static/{part}").status_code == 200


def test_each_network_can_be_set_alone(panel: TestClient) -> None:
    """Three of them, by their codes; and one that is not here is refused by name?"""
    before = panel.get("/api/rig").json()["networks"]
    assert [(one["plmn"], one["csq"], one["up"]) for one in before] == [
        ("23415", 22, True),
        ("23410", 17, True),
        ("23430", 12, True),
    ]
    panel.post("/api/rig/network", json={"plmn": "23410", "csq": 30})
    answer = panel.post("/api/rig/network", json={"plmn": "23415", "up": False}).json()
    assert [(one["csq"], one["up"]) for one in answer["networks"]] == [(22, False), (30, True), (12, True)]
    refused = panel.post("/api/rig/network", json={"plmn": "00101", "csq": 3})
    assert refused.status_code == 404
    assert "00101" in refused.json()["detail"]


class _Cloud:
    """Counts the skipped minutes; it fails if it is `broken`."""

    def __init__(self) -> None:
        self.skipped_minutes, self.broken = 0, False

    def view(self) -> dict[str, Any]:
        return {"address": "http://127.0.0.1:1", "state": "running", "skipped_minutes": self.skipped_minutes}

    async def skip(self, minutes: int) -> None:
        if self.broken:
            raise OSError("no space left")
        self.skipped_minutes += minutes


@pytest.fixture
def cloud() -> _Cloud:
    return _Cloud()


@pytest.fixture
def demo(tmp_path: Path, cloud: _Cloud) -> Iterator[TestClient]:
    """The panel of a unit with a cloud."""
    app = create_app(Unit(tmp_path), asyncio.Event(), cloud=cloud)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def test_time_is_skipped_for_a_unit_out_of_contact_alone(demo: TestClient, cloud: _Cloud) -> None:
    """Not while it would report at once, and a cloud that cannot says why?"""
    demo.post("/api/rig/mains", json={"on": True})
    refused = demo.post("/api/rig/skip", json={"minutes": 31})
    assert refused.status_code == 409
    assert "cut the network first" in refused.json()["detail"]
    demo.post("/api/rig/network", json={"up": False})
    assert demo.post("/api/rig/skip", json={"minutes": 31}).json()["cloud"]["skipped_minutes"] == 31
    cloud.broken = True
    assert demo.post("/api/rig/skip", json={"minutes": 31}).json()["detail"] == "no space left"
    assert cloud.skipped_minutes == 31


def test_a_panel_without_a_cloud_offers_neither_story_nor_skipping(panel: TestClient) -> None:
    seen = panel.get("/api/rig").json()
    assert seen["story"] is None and seen["cloud"] is None
    assert panel.post("/api/rig/skip", json={"minutes": 31}).status_code == 404
