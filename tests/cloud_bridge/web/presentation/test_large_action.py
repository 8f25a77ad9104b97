"""Is the one large button what helps now, and absent if nothing helps?"""

import pytest

from cloud_bridge.contact import Contact
from cloud_bridge.web.presentation.in_force import Headline, InForce, Wish
from cloud_bridge.web.presentation.large_action import CHARGE_NOW, SKIP_DELAY, STOP, LargeAction, beside, large_action
from tests.cloud_bridge.web.presentation.test_plan_bar import EVENING, point, ruled

DELAYED = InForce(0, "schedule", EVENING // 1000 + 200, (), 200, EVENING // 1000)


@pytest.mark.parametrize(
    ("state", "ruling", "offered"),
    [
        ("A1", None, None),
        ("B1", None, CHARGE_NOW),
        ("B1", ruled("schedule", EVENING // 1000 + 3600), CHARGE_NOW),
        ("B1", ruled("cloud", None), CHARGE_NOW),
        ("C1", ruled("installer", None, amps=32), CHARGE_NOW),
        ("B1", ruled("cable", None), None),
        ("B1", ruled("ventilation", None), None),
        ("B1", ruled("load_manager", None), None),
        ("B1", DELAYED, SKIP_DELAY),
        ("B2", None, None),
        ("C2", None, STOP),
        ("D2", ruled("cloud", None, amps=16), STOP),
        ("E", None, None),
        (None, None, None),
    ],
)
def test_what_is_offered(state: str | None, ruling: InForce | None, offered: LargeAction | None) -> None:
    assert large_action(point(state=state or ""), ruling, may_command=True) == offered
    assert large_action(point(state=state or ""), ruling, may_command=False) is None


def test_nothing_is_offered_to_a_charger_that_does_not_hear_us_or_has_a_fault() -> None:
    for contact in (Contact.SILENT, Contact.UNKNOWN, Contact.NEVER):
        assert large_action(point(state="C2", contact=contact), None, may_command=True) is None
    assert large_action(point(state="C2", faults=["rcd_ac"]), None, may_command=True) is None


def test_nothing_is_said_or_offered_twice() -> None:
    """If the headline gives no reason, the claim does."""
    hours = Wish("Paused outside your charging hours", "override", "true", "Charge now")
    pause = Wish("Paused by you", "resume", None, "End the pause")
    delay = Wish("Random delay: 3 min", "skip-delay", None, "Skip the delay")
    now = Wish("Charge now, until the vehicle is unplugged", "override", "false", "End charge now")
    begins = Headline("Plugged in. Charges at 00:30, when your charging hours begin", "schedule")
    assert beside(CHARGE_NOW, [hours, pause], begins) == [pause]
    assert beside(CHARGE_NOW, [pause, hours], Headline("Paused by you")) == [pause, Wish(hours.text)]
    assert beside(SKIP_DELAY, [delay], Headline("Random delay: 3 min, until 19:27")) == []
    asked = Headline("Charges now, as you asked, until the vehicle is unplugged", "override")
    assert beside(STOP, [now], asked) == [now._replace(text="")]
    assert beside(STOP, [now], Headline("Limited to 16 A by you")) == [now]
    assert beside(None, [hours], None) == [hours]
