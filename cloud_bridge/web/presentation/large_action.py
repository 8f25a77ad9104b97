"""The large button of the dashboard: Charge now, Stop, or Skip the delay. Pure.

The button is a form of the smart charging page, which then shows the charger's answer. No button is offered if it could not
help: the charger is not online or has a fault, or no vehicle is waiting for something that a person can change.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.contact import Contact
from cloud_bridge.web.presentation.in_force import PAUSED, Headline, InForce, Wish
from cloud_bridge.web.presentation.view import ChargePoint
from cloud_bridge.web.presentation.words import CHARGING
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

WAITING = ("B1", "C1", "D1")  # pilot states of a vehicle that is offered no current
STOP_HOURS = 12  # lasts past the night; if it were longer, a forgotten Stop would leave the battery empty for days
NOT_OURS = (*PAUSED, "load_manager")  # sources of a ruling that the driver cannot override


class LargeAction(NamedTuple):
    """`action` is the form below /charging, with `field` set to `value`. An empty `field` is not sent."""

    action: str
    field: str
    value: str
    english_label: str
    sign: str  # of signs.svg, and a class of style.css
    english_means: str

    @property
    def label(self) -> str:
        """The label in the reader's language."""
        return _(self.english_label)

    @property
    def means(self) -> str:
        return _(self.english_means).format(hours=STOP_HOURS)


CHARGE_NOW = LargeAction("override", "on", "true", N_("Charge now"), "bolt", N_("Until the vehicle is unplugged"))
STOP = LargeAction("pause", "hours", str(STOP_HOURS), N_("Stop"), "stop", N_("Pauses it for {hours} hours"))
SKIP_DELAY = LargeAction(
    "skip-delay", "", "", N_("Skip the delay"), "bolt", N_("It would charge in a few minutes by itself")
)


def large_action(point: ChargePoint, ruling: InForce | None, may_command: bool) -> LargeAction | None:
    """Return the button to show, or None. `ruling` is what is in force now, or None if unknown."""
    heartbeat = point.heartbeat
    if not may_command or heartbeat.faults or point.verdict.contact is not Contact.ONLINE:
        return None
    if heartbeat.state in CHARGING:
        return STOP
    if heartbeat.state not in WAITING:
        return None
    if ruling is None:
        return CHARGE_NOW
    if ruling.only_delayed:
        return SKIP_DELAY
    return None if ruling.amps == 0 and ruling.source in NOT_OURS else CHARGE_NOW


def beside(action: LargeAction | None, wishes: Sequence[Wish], why: Headline | None) -> list[Wish]:
    """Return the claims for the list below the headline `why` and the large button, without repeating either of them."""
    offered = None if action is None else (action.action, action.value or None)
    found = []
    for wish in wishes:
        if (wish.action, wish.on) == offered:
            if why is None or action is CHARGE_NOW and why.about != "schedule":
                found.append(Wish(wish.text))
        elif wish.on == "false" and why is not None and why.about == "override":
            found.append(wish._replace(text=""))
        else:
            found.append(wish)
    return found
