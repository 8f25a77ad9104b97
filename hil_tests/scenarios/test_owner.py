"""Do the owner's hours, the button and the console work on a running unit that knows the time?"""

import time
from collections.abc import Iterator

import pytest

from hil_tests.fixtures.cloud import Cloud
from hil_tests.rig.console import ConsoleError
from hil_tests.rig.contract import Observation, Rig
from hil_tests.scenarios.system import charging

pytestmark = pytest.mark.needs("pilot")
ALWAYS = "mon-sun 00:00-24:00"  # hours to avoid
HEARD_WITHIN_S = 3
WAITS_FOR_S = 2
TOLD_WITHIN_S = 12  # two heartbeats
OFFER_RESTS_S = 5  # after the hours have withdrawn the offer


@pytest.fixture
def scheduled(rig: Rig) -> Iterator[Rig]:
    """Yield a unit whose owner permits charging at no hour."""
    rig.console(f"time {int(time.time())}")  # the simulated network sends the time late
    rig.console(f"schedule {ALWAYS}")
    yield rig
    rig.console("schedule off")


def waits_for_the_schedule(seen: Observation) -> bool:
    """Return whether the unit waits for the schedule. It reports that only after a plug-in, when the button also works."""
    return seen.unit.get("phase") == "waiting" and seen.unit.get("limited_by") == "schedule"


@pytest.mark.needs("contactor", "light", "button")
def test_do_the_owners_hours_wait_and_does_the_button_charge_now(scheduled: Rig) -> None:
    """[R10a] [R10f] Is there no charge and no red, then a charge for this session only?"""
    scheduled.plug()
    waiting = scheduled.wait_for(waits_for_the_schedule, HEARD_WITHIN_S)
    assert waiting.pilot == "B1" and not waiting.contactor and not waiting.red
    scheduled.button()
    scheduled.wait_for(charging, within_s=HEARD_WITHIN_S + OFFER_RESTS_S)
    scheduled.unplug()
    scheduled.wait_for(lambda seen: seen.pilot == "A1" and seen.unit.get("session") == "-", HEARD_WITHIN_S)
    scheduled.plug()
    scheduled.never(charging, WAITS_FOR_S)


def test_does_the_console_say_who_rules_and_why(scheduled: Rig) -> None:
    """Does `why` name the schedule, and everything else that limits the current?"""
    scheduled.plug()
    scheduled.wait_for(waits_for_the_schedule, HEARD_WITHIN_S)
    told = scheduled.console("why")
    assert "rules schedule" in told and any(line.startswith("ceiling installer") for line in told)


def test_does_the_cloud_know_who_limits_the_current(scheduled: Rig, cloud: Cloud) -> None:
    """Does the cloud show the schedule without an end, as it never ends, and the installation once the schedule is off?"""
    scheduled.plug()
    seen = cloud.wait_for(lambda seen: seen["limited_by"] == "schedule", TOLD_WITHIN_S)
    assert seen["limited_until_s"] is None and seen["state"] == "B1"
    scheduled.console("schedule off")
    cloud.wait_for(lambda seen: seen["limited_by"] in ("installer", "cable"), TOLD_WITHIN_S)


def test_is_a_schedule_that_makes_no_sense_refused(rig: Rig) -> None:
    """[S1-inputs] Is it refused by name, and nothing changed?"""
    with pytest.raises(ConsoleError, match="schedule"):
        rig.console("schedule whenever I like")


def test_is_a_session_in_the_log_of_the_unit(rig: Rig) -> None:
    """[R9] Does it show energy and duration after the unplug?"""
    rig.plug()
    rig.wait_for(lambda seen: int(seen.unit.get("session_wh", 0)) > 5, within_s=12)
    number = rig.observe().unit["session"]
    rig.unplug()
    rig.wait_for(lambda seen: seen.unit.get("session") == "-", HEARD_WITHIN_S)
    told = [line for line in rig.console("sessions") if line.startswith(f"session {number} ")]
    assert len(told) == 1 and int(told[0].split()[-1]) > 5, told


def test_does_the_self_test_of_the_leakage_sensor_pass(rig: Rig) -> None:
    """Does the self-test run when the console requests it, without a fault afterwards?"""
    rig.console("selftest")
    rig.wait_for(lambda seen: seen.unit.get("faults") == "-" and seen.unit.get("phase") == "idle", HEARD_WITHIN_S)
    assert not any(line.startswith("rcd_selftest") for line in rig.console("faults"))
