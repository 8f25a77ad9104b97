"""Can a program do with roll-outs what the page can, and is it told why a request is refused?"""

from typing import Any

import pytest

from cloud_bridge.store.roll_out_orders import due, mark_sent
from tests.cloud_bridge.releases.rolling_out import MADE, add_heard, add_release
from tests.cloud_bridge.running import START_MS, Bridge


@pytest.fixture(autouse=True)
def stored(bridge: Bridge) -> None:
    """Store a release, and two units that were in contact."""
    with bridge.app_state.database.writing() as connection:
        add_release(connection)
        add_heard(connection, "cp-1", "cp-2")


def post(bridge: Bridge, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    answer = bridge.client.post(path, json=body)
    return answer.status_code, answer.json()


def test_a_release_is_rolled_out_read_and_stopped(bridge: Bridge) -> None:
    (release,) = bridge.client.get("/api/releases").json()
    assert (release["version"], release["sha256"]) == ("1.4.0", MADE.manifest.sha256)
    status, started = post(bridge, "/api/roll-outs", {"version": "1.4.0", "required_by": "2026-06-30"})
    assert status == 201
    assert started["units"] == {"waiting": 2}
    assert started["required_by"] == "2026-06-30T00:00:00.000Z"
    assert bridge.client.get("/api/roll-outs").json() == [started]
    assert post(bridge, "/api/roll-outs/1/stop")[1]["state"] == "stopped"
    assert post(bridge, "/api/roll-outs/1/stop")[0] == 409


def test_a_unit_tells_how_far_it_is(bridge: Bridge) -> None:
    assert bridge.client.get("/api/charge-points/cp-1/update").json() is None
    post(bridge, "/api/roll-outs", {"version": "1.4.0", "by": "list", "units": ["cp-1"]})
    with bridge.app_state.database.writing() as connection:
        mark_sent(connection, due(connection, START_MS, 1), START_MS)
    said = bridge.client.get("/api/charge-points/cp-1/update").json()
    assert (said["version"], said["state"], said["loaded"], said["size"]) == ("1.4.0", "ordered", 0, MADE.manifest.size)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"version": "1.9.0"}, 409, "there is no release 1.9.0"),
        ({"version": "1.4.0", "by": "list", "units": ["cp-9"]}, 409, "'cp-9' is no unit"),
        ({"version": "1.4.0", "by": "moon"}, 422, ""),
        ({"version": "1.4.0", "soak_hours": 0}, 422, ""),
    ],
)
def test_what_cannot_be_is_refused(bridge: Bridge, body: dict[str, Any], status: int, reason: str) -> None:
    found, said = post(bridge, "/api/roll-outs", body)
    assert found == status
    assert reason in str(said["detail"])
    assert bridge.client.get("/api/roll-outs").json() == []
    assert bridge.client.get("/api/roll-outs/1").status_code == 404
