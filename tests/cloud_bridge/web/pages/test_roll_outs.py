"""Can the operator see, start and stop a roll-out on the pages, and does the owner see its effect?"""

import pytest

from cloud_bridge.releases.roll_out_states import UnitState
from cloud_bridge.store.access import Role
from cloud_bridge.store.roll_out_orders import due, mark_sent
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.releases.rolling_out import add_release, say, start, state_of, tell
from tests.cloud_bridge.running import START_MS, Bridge, Unit

FORM = {"version": "1.4.0", "by": "all", "soak_hours": "24", "text": "", "ids": "", "required_by": ""}


@pytest.fixture
def operator(bridge: Bridge) -> Visitor:
    """An operator with a release, and three units that were in contact."""
    for number in range(3):
        unit_id = f"cp-{number}"
        unit = Unit(bridge, unit_id, bridge.add_unit(unit_id).secret).connect()
        unit.publish(f"cp/{unit_id}/heartbeat", b'{"n":1,"b":1}')
        boot = b'{"n":2,"b":1,"k":"boot","d":{"cause":"soft","v":"1.3.%d","board":"tcall"}}' % number
        unit.publish(f"cp/{unit_id}/event", boot)
    with bridge.app_state.database.writing() as connection:
        add_release(connection)
    return Visitor(bridge, "olga", Role.OPERATOR)


def test_a_roll_out_is_started_seen_and_stopped(bridge: Bridge, operator: Visitor) -> None:
    assert "Start a roll-out" in operator.read("/roll-outs")
    answer = operator.post("/roll-outs", form_on="/roll-outs", **FORM)
    assert "1.4.0 to all units" in answer.text
    assert "3 waiting" in answer.text
    page = operator.read("/roll-outs/1")
    assert "one unit (now)" in page
    assert "Good over time" in page
    again = operator.post("/roll-outs", form_on="/roll-outs", **FORM)
    assert again.status_code == 422
    assert "roll-out 1 of 1.4.0 runs for 3 of these units" in again.text.replace("Roll-out", "roll-out")
    stopped = operator.post("/roll-outs/1/stop", form_on="/roll-outs/1")
    assert "Stopped: olga has stopped it" in stopped.text
    assert "Roll-out of firmware stopped" in operator.read("/security")


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("version", "9.9.9", "There is no release 9.9.9"),
        ("by", "network", "No unit is chosen"),
        ("required_by", "2026-02-31", "There is no such day"),
        ("soak_hours", "0", ""),
    ],
)
def test_a_form_that_cannot_be_is_told_why(
    bridge: Bridge, operator: Visitor, field: str, value: str, reason: str
) -> None:
    answer = operator.post("/roll-outs", form_on="/roll-outs", **FORM | {field: value})
    assert answer.status_code == 422
    assert reason in answer.text
    assert "Start a roll-out" in answer.text  # the form is shown again


def test_nobody_else_sees_it(bridge: Bridge, operator: Visitor) -> None:
    operator.post("/roll-outs", form_on="/roll-outs", **FORM)
    for name, role in (("dora", Role.DRIVER), ("ina", Role.INSTALLER), ("sue", Role.SUPPORT)):
        visitor = Visitor(bridge, name, role)
        for path in ("/roll-outs", "/roll-outs/1"):
            assert visitor.client.get(path).status_code == 404
    assert operator.client.get("/roll-outs/2").status_code == 404


def test_the_fleet_is_laid_out_by_version(bridge: Bridge, operator: Visitor) -> None:
    fleet = operator.read("/fleet?by=firmware")
    assert fleet.index("1.3.0") < fleet.index("1.3.1") < fleet.index("1.3.2")
    one = operator.read("/fleet?firmware=1.3.1")
    assert "cp-1" in one
    assert "cp-0" not in one
    assert '<a href="/fleet?firmware=1.3.1">' in operator.get("/roll-outs")


def test_owner_and_operator_see_how_far_a_unit_is(bridge: Bridge, operator: Visitor) -> None:
    with bridge.app_state.database.writing() as connection:
        start(connection)
        (order,) = due(connection, START_MS, 10)
        mark_sent(connection, [order], START_MS)
        unit_id = order.unit_id
        assert state_of(connection, unit_id)[0] is UnitState.ORDERED
    page = operator.read(f"/charge-points/{unit_id}")
    assert "1.4.0: ordered, not answered yet" in page
    assert "Its firmware is being updated to 1.4.0." in page
    with bridge.app_state.database.writing() as connection:
        tell(connection, unit_id, "rolled_back", why="panic")
        say(connection, unit_id, "heartbeat", s="A1")
    page = operator.read(f"/charge-points/{unit_id}")
    assert "went back by itself and runs 1.3." in page
    assert "the new version crashed" in page
