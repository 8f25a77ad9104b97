"""Why a vehicle will not be ready, and what its driver can do: one row for each reason. Pure."""

from enum import StrEnum
from typing import NamedTuple

from cloud_bridge.words import N_


class Reason(StrEnum):
    """Stored with the plan: members may be added, but never renamed."""

    NOT_PLUGGED = "not-plugged"
    ASLEEP = "asleep"
    STOPPED = "stopped"
    FAULT = "fault"
    PAUSED = "paused"
    HOURS = "hours"
    HOUSE = "house"
    SLOW = "slow"
    NO_TIME = "no-time"
    SILENT = "silent"
    IDLE_UNSEEN = "idle-unseen"
    OTHER_VEHICLE = "other-vehicle"
    WHICH_VEHICLE = "which-vehicle"


class Advice(NamedTuple):
    """Complete sentences, for a push message and for a page."""

    why: str
    what_to_do: str


ADVICE: dict[Reason, Advice] = {
    Reason.NOT_PLUGGED: Advice(
        N_("No vehicle is plugged in."), N_("Plug it in. If it does not begin, choose Charge now.")
    ),
    Reason.ASLEEP: Advice(
        N_("The vehicle is plugged in but takes nothing."),
        N_("Unplug it, lock and unlock it, and plug it in again. Switch off any charging schedule in the vehicle."),
    ),
    Reason.STOPPED: Advice(
        N_("The vehicle has stopped charging by itself."),
        N_("Look at the charge limit and the charging schedule in the vehicle, then unplug it and plug it in again."),
    ),
    Reason.FAULT: Advice(
        N_("The charger has stopped with a fault."), N_("Open its page: it says what you may safely do.")
    ),
    Reason.PAUSED: Advice(
        N_("Charging is paused or limited from the app."), N_("Open Charging and end the pause or limit.")
    ),
    Reason.HOURS: Advice(N_("Your charging hours leave too little time."), N_("Open Charging and choose Charge now.")),
    Reason.HOUSE: Advice(
        N_("Your house leaves too little current for the vehicle."),
        N_("Switch off what uses much power, such as an oven."),
    ),
    Reason.SLOW: Advice(
        N_("The vehicle charges more slowly than planned."),
        N_("Allow for a stop to charge on the way, or leave later."),
    ),
    Reason.NO_TIME: Advice(
        N_("There is not enough time left to charge."), N_("Allow for a stop to charge on the way, or leave later.")
    ),
    Reason.SILENT: Advice(
        N_("We do not hear from the charger."),
        N_("Look at its light: if it is dark, check the fuse. If it is lit, it charges by its own hours."),
    ),
    Reason.IDLE_UNSEEN: Advice(
        N_("The vehicle takes nothing, and we cannot see how full it is."),
        N_(
            "Look at the vehicle: if it is not full, unplug it and plug it in again. If its account is lost, connect it again."
        ),
    ),
    Reason.OTHER_VEHICLE: Advice(
        N_("Another vehicle is plugged in, and this one is not."),
        N_("Plug it in. If it does not begin, choose Charge now."),
    ),
    Reason.WHICH_VEHICLE: Advice(
        N_("We cannot see which of your vehicles is plugged in."),
        N_("Look whether it is the one that has to be ready."),
    ),
}
