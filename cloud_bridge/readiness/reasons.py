"""Why a vehicle will not be ready, and what its driver can do about it: one row for each reason. Pure."""

from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """Stored with the plan: a word may be added, never renamed."""

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
    """Whole sentences, for a push message and for a page."""

    why: str
    what_to_do: str


ADVICE: dict[Reason, Advice] = {
    Reason.NOT_PLUGGED: Advice("No vehicle is plugged in.", "Plug it in. If it does not begin, choose Charge now."),
    Reason.ASLEEP: Advice(
        "The vehicle is plugged in but takes nothing.",
        "Unplug it, lock and unlock it, and plug it in again. Switch off any charging schedule in the vehicle.",
    ),
    Reason.STOPPED: Advice(
        "The vehicle has stopped charging by itself.",
        "Look at the charge limit and the charging schedule in the vehicle, then unplug it and plug it in again.",
    ),
    Reason.FAULT: Advice("The charger has stopped with a fault.", "Open its page: it says what you may safely do."),
    Reason.PAUSED: Advice("Charging is paused or limited from the app.", "Open Charging and end the pause or limit."),
    Reason.HOURS: Advice("Your charging hours leave too little time.", "Open Charging and choose Charge now."),
    Reason.HOUSE: Advice(
        "Your house leaves too little current for the vehicle.", "Switch off what uses much power, such as an oven."
    ),
    Reason.SLOW: Advice(
        "The vehicle charges more slowly than planned.", "Allow for a stop to charge on the way, or leave later."
    ),
    Reason.NO_TIME: Advice(
        "There is not enough time left to charge.", "Allow for a stop to charge on the way, or leave later."
    ),
    Reason.SILENT: Advice(
        "We do not hear from the charger.",
        "Look at its light: if it is dark, check the fuse. If it is lit, it charges by its own hours.",
    ),
    Reason.IDLE_UNSEEN: Advice(
        "The vehicle takes nothing, and we cannot see how full it is.",
        "Look at the vehicle: if it is not full, unplug it and plug it in again. If its account is lost, connect it again.",
    ),
    Reason.OTHER_VEHICLE: Advice(
        "Another vehicle is plugged in, and this one is not.", "Plug it in. If it does not begin, choose Charge now."
    ),
    Reason.WHICH_VEHICLE: Advice(
        "We cannot see which of your vehicles is plugged in.", "Look whether it is the one that has to be ready."
    ),
}
